import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runCommand } from '../../tests/support/processes/run-command.ts';

let folder = '';
beforeEach(async () => (folder = await mkdtemp(path.join(tmpdir(), 'siphon-pack-'))));
afterEach(async () => await rm(folder, { recursive: true }));

const ORDERS = `{ source: 'sdk', kind: 'counter', name: 'orders', unit: '{order}', description: 'Orders', labels: {} }`;

async function check(text: string): ReturnType<typeof runCommand> {
  const file = path.join(folder, 'pack.mjs');
  await writeFile(file, text);
  return await runCommand(['packs', 'check', file]);
}

it('accepts a pack in order', async () => {
  const detail = `detailMetrics: { orders_total: 'for reports' }`;
  const { exitCode, printed } = await check(
    `export default { name: 'shop', description: 'A shop', metrics: { orders_total: ${ORDERS} }, ${detail} };`,
  );
  expect({ exitCode, printed }).toEqual({ exitCode: 0, printed: `${folder}/pack.mjs: no problems found` });
});

it('names every problem', async () => {
  const { exitCode, errors } = await check(
    `export default { name: 'shop', description: 'A shop', metrics: { orders_total: ${ORDERS} } };`,
  );
  expect({ exitCode, errors }).toEqual({
    exitCode: 1,
    errors: 'orders_total: is on no panel and not marked as detail',
  });
});

it('finds a pack under any name', async () => {
  const { errors } = await check(
    `export const shop = { name: 'shop', description: 'A shop', metrics: { x_total: ${ORDERS} } };`,
  );
  expect(errors).toContain('x_total');
});

it.each(['scrape-pipeline', 'service', 'postgres-health', 'sidecar'])(
  'accepts the module of the built-in pack %s',
  async (name) => {
    const file = fileURLToPath(new URL(`../packs/${name}/index.ts`, import.meta.url));
    expect(await runCommand(['packs', 'check', file])).toMatchObject({ exitCode: 0, errors: '' });
  },
);

it('reads a file by its URL', async () => {
  const { href } = new URL('../packs/service/index.ts', import.meta.url);
  expect(await runCommand(['packs', 'check', href])).toMatchObject({
    exitCode: 0,
    printed: `${href}: no problems found`,
  });
  const missing = pathToFileURL(path.join(folder, 'missing.ts')).href;
  expect(await runCommand(['packs', 'check', missing])).toMatchObject({
    exitCode: 1,
    errors: `${missing}: file not found, or not readable`,
  });
});

it('names a metric that metricColumns does not find', async () => {
  const query = new URL('../components/receivers/db-poller/query.ts', import.meta.url).href;
  const gauge = `{ source: 'poller', kind: 'gauge', name: 'orders.open', unit: '{order}', description: 'Open', labels: {} }`;
  const { errors } = await check(`
    import { metricColumns } from '${query}';
    const metrics = { orders_open: ${gauge} };
    export const columns = metricColumns(metrics, { orders_opne: 'sum' });`);
  expect(errors).toMatch(
    /cannot be imported: metricColumns: orders_opne is not a metric \(did you mean orders_open\?\)$/,
  );
});

it('refuses the name of a built-in pack', async () => {
  const { errors } = await check(`export default { name: 'sidecar', description: 'Another', metrics: {} };`);
  expect(errors).toBe('sidecar: a built-in pack has this name');
});

it.each([
  ['export const pack = {};', 'does not export a pack: name is missing; use definePack from siphon-otel/pack'],
  ['export const a = 1, b = {};', 'does not export a pack: none of a, b is one; export the pack as default'],
  [`import './missing.mjs';`, 'missing.mjs'],
])('refuses the module %s', async (text, message) => {
  const { exitCode, errors } = await check(text);
  expect(exitCode).toBe(1);
  expect(errors).toContain(message);
});

it('requires one file', async () => {
  const { exitCode, errors } = await runCommand(['packs', 'check']);
  expect(exitCode).toBe(2);
  expect(errors).toContain('one FILE is required');
  expect(errors).toContain("Run 'siphon packs check --help' for its options");
  const { printed } = await runCommand(['packs', 'check', '--help']);
  expect(printed).toContain('Example: siphon packs check ./shop-pack.ts');
});
