import { expect, it } from 'vitest';
import { ProbedSchema } from './schema.ts';
import { SchemaReport } from './schema.ts';
import { logLines } from '../../../../../tests/support/components/log-lines.ts';

const schema = new ProbedSchema(
  'a "b"',
  [{ table_name: 'runs', column_name: 'id' }],
  [{ table_name: 'runs', columns: ['source_id', 'status', 'started_at'] }],
);

it('quotes what it names', () => {
  expect(schema.table('runs')).toBe('"a ""b"""."runs"');
});

it('names each missing column once', () => {
  expect(schema.missing({ runs: ['id', 'status', 'status'], prices: ['id'] })).toEqual(['runs.status', 'prices.id']);
});

it.each([
  ['runs', ['source_id', 'status'], true],
  ['runs', ['source_id', 'stat'], false],
  ['runs', ['status'], false],
  ['runs', ['source_id', 'status', 'started_at', 'id'], false],
  ['prices', ['source_id'], false],
])('knows whether an index of %s begins with %j', (table, columns, expected) => {
  expect(schema.hasIndex(table, columns)).toBe(expected);
});

it('logs missing columns when they change, and when none is missing any more', () => {
  const { logger, lines } = logLines();
  const report = new SchemaReport(logger);
  const lacking = new Map([['coffees', { needed: ['coffees.status'], optional: [] }]]);
  const less = new Map([['coffees', { needed: [], optional: ['coffees.processing_status'] }]]);
  const complete = new Map([['coffees', { needed: [], optional: [] }]]);
  for (const found of [complete, lacking, lacking, less, complete, complete]) report.found(found);
  expect(lines).toMatchObject([
    { level: 40, off: { coffees: ['coffees.status'] } },
    { level: 40, reduced: { coffees: ['coffees.processing_status'] } },
    { level: 30 },
  ]);
});
