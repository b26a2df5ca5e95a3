import type { Finding } from '../../../../engine/diagnosis.ts';
import { readableIdentifier } from '../../../../postgres/identifier.ts';
import { NAMED_TABLES, namedTablesValues, STORED_PARTS } from '../../../../postgres/named-tables.ts';
import type { PlannedOwnRows } from '../plan.ts';
import type { Check, Examined } from './check.ts';
import { isOwnRows } from './own-tables.ts';
import { invalidFinding, presentIndexes, scatteredFindings } from './present-indexes.ts';

/** Below it, reading the whole table at each poll is cheap enough. */
const LARGE_ROWS = 100_000;

/** Whether large tables whose rows the user has counted can be asked for their latest rows. */
export const ownIndexes: Check = {
  about: 'the indexes of your tables',
  async *find(examined) {
    const counted = examined.planned.filter(isOwnRows);
    const names = [...new Set(counted.map(({ config }) => config.table))];
    const sizes = await examined.ask(SIZES, namedTablesValues(names));
    for (const planned of counted) {
      const { flaws } = await examined.tableOf(planned.config);
      const size = sizes.find(({ name }) => name === planned.config.table);
      if (!size || Number(size['rows']) < LARGE_ROWS || flaws.some(({ failure }) => failure)) continue;
      yield* largeFindings(planned, examined, { rows: Number(size['rows']), isPartitioned: size['kind'] === 'p' });
    }
  },
};

/** As the statistics have it. */
const SIZES = `
  select name, root.relkind::text as kind,
         sum(greatest(stored.reltuples, pg_stat_get_live_tuples(stored.oid)))::float8 as rows
  from ${NAMED_TABLES}
  ${STORED_PARTS}
  group by name, root.relkind`;

async function* largeFindings(
  { id, config }: PlannedOwnRows,
  examined: Examined,
  { rows, isPartitioned }: { readonly rows: number; readonly isPartitioned: boolean },
): AsyncGenerator<Finding> {
  const [schema, tableName] = config.table.split('.') as [string, string];
  const table = `${readableIdentifier(schema)}.${readableIdentifier(tableName)}`;
  if (config.time_column === undefined) {
    yield {
      severity: 'warning',
      what: `${id} reads all of about ${rows} rows of ${table} at each poll`,
      repair: 'Set time_column to the column that tells when a row was entered, with an index on it',
    };
    return;
  }
  const all = await presentIndexes(examined, schema, [tableName]);
  const onTime = all.filter(({ columns, where }) => columns[0] === config.time_column && where === '');
  yield* onTime.filter(({ isValid }) => !isValid).map((index) => invalidFinding(schema, index));
  const serving = onTime.filter(({ isValid, method }) => isValid && RANGES.has(method));
  const column = readableIdentifier(config.time_column);
  if (serving.length > 0) {
    yield* scatteredFindings(serving, table, column);
    return;
  }
  const repair = isPartitioned
    ? `create index on ${table} (${column}); keeps writers out while it runs, unless each partition was given its own CONCURRENTLY before`
    : `create index concurrently on ${table} (${column});`;
  yield {
    severity: 'warning',
    what: `no index on ${table} (${column}): ${id} reads all of about ${rows} rows at each poll`,
    repair,
  };
}

/** Those that lead to the rows of a range. */
const RANGES = new Set(['btree', 'brin']);
