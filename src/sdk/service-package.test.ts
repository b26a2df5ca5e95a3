import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { servicePackage } from './service-package.ts';

const root = mkdtempSync(path.join(tmpdir(), 'service-'));
afterAll(() => rmSync(root, { recursive: true }));

it.each([
  ['its package.json', { 'a/package.json': { name: 'api', version: '2.0.0' } }, 'a/src/main.js', 'api'],
  [
    'the next one, if the nearest has none',
    { 'b/dist/package.json': {}, 'b/package.json': { name: 'api' } },
    'b/dist/main.js',
    'api',
  ],
  ['its folder, if none has one', { 'shop/package.json': {} }, 'shop/src/main.js', 'shop'],
  ['its folder, if there is no package.json', {}, 'orders/main.js', 'orders'],
  ['nothing, if the folder is part of a layout', { 'c/app/package.json': {} }, 'c/app/main.js', undefined],
  ['the folder above a layout', { 'd/dist/package.json': {}, 'd/package.json': {} }, 'd/dist/main.js', 'd'],
])('names a service by %s', (_, manifests, script, name) => {
  for (const [file, manifest] of Object.entries(manifests)) {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), JSON.stringify(manifest));
  }
  expect(servicePackage(path.join(root, script)).name).toBe(name);
});

it('knows the dependencies of a package without a name', () => {
  mkdirSync(path.join(root, 'e'));
  writeFileSync(path.join(root, 'e/package.json'), JSON.stringify({ dependencies: { hono: '4' } }));
  const tool = path.join(root, 'e/node_modules/.bin/tool.js');
  for (const script of [path.join(root, 'e/main.js'), tool]) {
    expect(servicePackage(script, path.join(root, 'e'))).toEqual({ name: 'e', dependencies: new Set(['hono']) });
  }
});
