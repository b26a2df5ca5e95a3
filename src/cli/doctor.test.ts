import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { componentFactories } from '../components/index.ts';
import { packs as builtInPacks } from '../packs/index.ts';
import { runCli } from './cli.ts';

const folder = mkdtempSync(join(tmpdir(), 'siphon-doctor-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CONFIG = `receivers:
  db_poller:
    datasource: postgresql://127.0.0.1:1/none
    packs: {postgres_health: {}}
exporters: {debug: }
service:
  pipelines:
    metrics: {receivers: [db_poller], exporters: [debug]}
`;

async function doctor(
  hasColours: boolean,
  environment: Record<string, string> = {},
): Promise<{ shown: string[]; printed: string[]; order: string[] }> {
  const path = join(folder, 'config.yaml');
  writeFileSync(path, CONFIG);
  const [shown, printed, order]: [string[], string[], string[]] = [[], [], []];
  await runCli(['doctor', '--config', path], {
    environment,
    version: '0',
    factories: componentFactories(builtInPacks),
    preload: new URL('file:///preload.cjs'),
    loadPacks: async () => [],
    packs: builtInPacks,
    checkPackFile: async () => [],
    startPreview: async () => await Promise.reject(new Error('not part of the test')),
    print: (text) => void (printed.push(text), order.push('line')),
    printError: () => undefined,
    hasColours,
    columns: 80,
    showProgress: (text) => void (shown.push(text), order.push(text === '' ? 'clear' : 'progress')),
  });
  return { shown, printed, order };
}

it('shows what is being looked at, and takes that away before it prints a line', async () => {
  const { shown, order } = await doctor(false);
  expect(shown).toContain('receivers::db_poller: connects …');
  for (const [i, what] of order.entries()) if (what === 'line') expect(order[i - 1]).not.toBe('progress');
});

it('has colours only where they are wanted, and marks with them how bad it is', async () => {
  const [plain] = (await doctor(false)).printed;
  const [coloured] = (await doctor(true)).printed;
  expect(plain).toMatch(/^error {4}receivers::db_poller {2}cannot connect/);
  expect(coloured).toBe(plain!.replace('error  ', styleText('red', 'error  ', { validateStream: false })));
});

it('reports variables of a service that the configuration does not use', async () => {
  expect(await unused({ DATABASE_URL: 'postgresql://127.0.0.1/shop' })).toEqual([]);
  const [line, ...others] = await unused({ SENTRY_DSN: 'https://key@sentry.example/1' });
  expect(line).toMatch(/^warning {2}configuration +SENTRY_DSN is set, but no pipeline uses sentry\. Add sentry/);
  expect(others).toEqual([]);
});

async function unused(environment: Record<string, string>): Promise<string[]> {
  return (await doctor(false, environment)).printed.filter((line) => line.includes('is set, but'));
}
