import * as v from 'valibot';
import { packQueries } from '../../components/receivers/db-poller/query.ts';
import { MOST_LISTED, MOST_TOP } from './groups/chosen-tables.ts';
import type { Group } from './groups/group.ts';
import { groups } from './groups/index.ts';
import { MOST_STATEMENTS } from './groups/statements.ts';

const tableNames = v.pipe(
  v.array(v.pipe(v.string(), v.regex(/^[^.]+\../, 'must be schema.table, spelled as in pg_class'))),
  v.maxLength(MOST_LISTED, `at most ${MOST_LISTED}: each is several series`),
);

const upTo = (most: number) =>
  v.pipe(v.number('must be a number'), v.integer('must be a whole number'), v.minValue(0), v.maxValue(most, `at most ${most}: each is several series`)); // prettier-ignore

const entries: [string, Group][] = Object.entries(groups);

/** The database part of the pack. */
export const postgresHealthDatabase = packQueries({
  settings: v.strictObject({
    tables: v.optional(tableNames, []),
    top_tables: v.optional(upTo(MOST_TOP), 10),
    statements: v.optional(upTo(MOST_STATEMENTS), 10),
  }),
  names: { gauges: entries.map(([name]) => name), counters: [] },
  create({ tables, top_tables: topTables, statements }) {
    const settings = { tables, topTables, statements };
    return { gauges: Object.fromEntries(entries.map(([name, group]) => [name, group.query(settings)])), counters: {} };
  },
});
