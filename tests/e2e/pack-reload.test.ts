import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../support/postgres/test-postgres.ts';
import { Sidecar, type LogLine } from '../support/processes/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';

let database: TestPostgres;
let folder: string;

beforeAll(async () => {
  database = await startTestPostgres({ schema: false });
});
afterAll(() => database[Symbol.asyncDispose]());

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'siphon-pack-reload-'));
  return () => rmSync(folder, { recursive: true });
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
}

/** A module whose gauge is the answer of `sql`, an expression of JavaScript. */
function packWith(sql: string, imports: string): string {
  return `${imports}
    const metric = { source: 'poller', kind: 'gauge', name: 'shop.stock', unit: '{item}', description: '', labels: {} };
    export default {
      name: 'shop', metrics: { shop_stock: metric },
      database: {
        names: { gauges: ['stock'], counters: [] },
        create: async () => ({
          schema: 'public', counters: {},
          gauges: { stock: { needs: {}, metrics: { n: { metric, merge: 'sum' } }, statement: (sql => () => ({ text: sql }))(${sql}) } },
        }),
      },
    };`;
}

async function running(pack: string) {
  const config = join(folder, 'otel-collector.yaml');
  writeFileSync(
    config,
    `receivers:
  db_poller:
    datasource: ${database.url}
    initial_delay: 0s
    collection_interval: 200ms
    packs: {${pack}: }
exporters: {prometheus: {endpoint: '127.0.0.1:0'}}
service:
  pipelines: {metrics: {receivers: [db_poller], exporters: [prometheus]}}
  telemetry: {logs: {encoding: json}, metrics: {level: none}}`,
  );
  const sidecar = await Sidecar.start({ configs: [config], freePorts: false });
  const ends = (): LogLine[] => sidecar.logs.filter(({ msg }) => /^Configuration is (?:not )?reloaded/.test(msg));
  return {
    /** The components that the reload has started; undefined if it has failed. */
    reload: async () => {
      const { length } = ends();
      sidecar.process.kill('SIGHUP');
      await waitFor(() => ends().length > length, { what: 'the end of the reload' });
      return ends().at(-1)?.['started'];
    },
    shows: async (value: number) => {
      const shown = new RegExp(`^shop_stock\\{.*\\} ${value}$`, 'm');
      await waitFor(async () => shown.test(await sidecar.scrape()), { what: `the value ${value}` });
    },
    [Symbol.asyncDispose]: async () => await sidecar[Symbol.asyncDispose](),
  };
}

const STOCK = (number: number): string => `select ${number} as n`;

describe('a reload', () => {
  it.each<[what: string, pack: string, files: (number: number) => Record<string, string>]>([
    ['the module', './shop.mjs', (number) => ({ 'shop.mjs': packWith(`'${STOCK(number)}'`, '') })],
    [
      'a module that it imports',
      './shop.mjs',
      (number) => ({
        'shop.mjs': packWith('sql', "import { sql } from './queries.mjs';"),
        'queries.mjs': "export { sql } from './sql.mjs';",
        'sql.mjs': `export const sql = '${STOCK(number)}';`,
      }),
    ],
    [
      'a module that it imports later',
      './shop.mjs',
      (number) => ({
        'shop.mjs': packWith("(await import('./queries.mjs')).sql", ''),
        'queries.mjs': `export const sql = '${STOCK(number)}';`,
      }),
    ],
    [
      'a file of SQL that it reads when it is imported',
      './shop.mjs',
      (number) => ({
        'shop.mjs': packWith(
          'sql',
          "import { readFileSync } from 'node:fs'; const sql = readFileSync(new URL('./stock.sql', import.meta.url), 'utf8');",
        ),
        'stock.sql': STOCK(number),
      }),
    ],
    [
      'a file of SQL in a path',
      './shop.ts',
      (number) => ({
        'shop.ts': packWith(
          'sql',
          "import { readFileSync } from 'node:fs'; import path from 'node:path'; const sql: string = readFileSync(path.join(import.meta.dirname, 'stock.sql'), 'utf8');",
        ),
        'stock.sql': STOCK(number),
      }),
    ],
    [
      'a file of JSON',
      './shop.mjs',
      (number) => ({
        'shop.mjs': packWith('file.sql', "import file from './stock.json' with { type: 'json' };"),
        'stock.json': JSON.stringify({ sql: STOCK(number) }),
      }),
    ],
    [
      'a CommonJS module',
      './shop.cjs',
      (number) => ({
        'shop.cjs': packWith('sql', "const { sql } = require('./queries.cjs');").replace(
          'export default',
          'module.exports =',
        ),
        'queries.cjs': "exports.sql = require('./sql.cjs');",
        'sql.cjs': `module.exports = '${STOCK(number)}';`,
      }),
    ],
  ])('uses the new content of a pack: %s', async (_, pack, files) => {
    write(files(1));
    await using sidecar = await running(pack);
    await sidecar.shows(1);
    expect(await sidecar.reload()).toEqual([]);
    write(files(20));
    expect(await sidecar.reload()).toEqual(['receivers::db_poller']);
    await sidecar.shows(20);
    expect(await sidecar.reload()).toEqual([]);
    write(files(300));
    expect(await sidecar.reload()).toEqual(['receivers::db_poller']);
    await sidecar.shows(300);
  });

  it('keeps the old content of a pack while the new one is broken', async () => {
    const pack = packWith('sql', "import { sql } from './queries.mjs';");
    write({ 'shop.mjs': pack, 'queries.mjs': `export const sql = '${STOCK(1)}';` });
    await using sidecar = await running('./shop.mjs');
    await sidecar.shows(1);
    write({ 'queries.mjs': 'export const sql = ' });
    expect(await sidecar.reload()).toBeUndefined();
    rmSync(join(folder, 'queries.mjs'));
    expect(await sidecar.reload()).toBeUndefined();
    await sidecar.shows(1);
    write({ 'queries.mjs': `export const sql = '${STOCK(2)}';` });
    expect(await sidecar.reload()).toEqual(['receivers::db_poller']);
    await sidecar.shows(2);
  });
});
