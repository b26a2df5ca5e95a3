import { expect, it } from 'vitest';
import { sidecarMetrics } from '../metrics/self.ts';
import { postgresHealthMetrics } from '../packs/postgres-health/metrics.ts';
import { Budget } from '../promql/budget.ts';
import { parsePromql } from '../promql/syntax/parse-promql.ts';
import { DATABASE_TABLES, ELECTION_FAILURES, LEADS } from './database-tables.ts';

const columns = DATABASE_TABLES.flatMap((table) => table.columns);

it('asks for metrics that the poller and its pack have', () => {
  const known = new Set(Object.keys({ ...postgresHealthMetrics, ...sidecarMetrics }));
  const asked = [...columns.map(({ expression }) => expression), LEADS, ELECTION_FAILURES].flatMap(
    (expression) => expression.match(/\b(?:database|siphon)_\w+/g) ?? [],
  );
  expect(asked.length).toBeGreaterThan(columns.length);
  expect(asked.map((name) => name.replace(/_(?:sum|count)$/, '')).filter((name) => !known.has(name))).toEqual([]);
});

it('sorts each table by one of its columns, whose expressions can be read', () => {
  for (const { sortBy, columns: own } of DATABASE_TABLES) expect(own.map(({ name }) => name)).toContain(sortBy);
  const budget = new Budget({ maxSamples: 1, maxSeries: 1, timeoutMs: 10_000 });
  for (const { expression } of columns) expect([...parsePromql(expression, budget)]).toBeInstanceOf(Array);
});
