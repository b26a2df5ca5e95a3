import * as v from 'valibot';
import { packQueries } from '../../components/receivers/db-poller/query.ts';
import { table } from './metrics.ts';

const tableNames = v.pipe(
  v.array(v.pipe(v.string(), v.regex(/^[^.]+\../, 'must be schema.table, spelled as in pg_class'))),
  v.maxLength(table.maxValues, `at most ${table.maxValues}: each is several series`),
);

/** The database part of the pack. */
export const postgresHealthDatabase = packQueries({
  settings: v.strictObject({ tables: v.optional(tableNames, []) }),
  names: { gauges: ['activity', 'locks', 'statistics', 'size', 'tables'], counters: [] },
  async create({ tables }) {
    const { postgresHealthQueries } = await import('./queries/query-set.ts');
    return postgresHealthQueries(tables);
  },
});
