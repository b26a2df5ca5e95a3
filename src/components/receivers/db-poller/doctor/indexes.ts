import type { Finding } from '../../../../engine/component.ts';
import { readableIdentifier } from '../../../../postgres/identifier.ts';
import { NAMED_TABLES, namedTablesValues, STORED_PARTS } from '../../../../postgres/named-tables.ts';
import type { Row } from '../../../../postgres/read-only-pool.ts';
import { maxKeys, type ConfiguredPack, type PlannedUserCounter } from '../plan.ts';
import type { TableIndex } from '../query.ts';
import { isKeyed } from '../user-queries/counter.ts';
import type { Check, Examined } from './check.ts';
import { columnRights } from './tables.ts';
import { isUserCounter } from './user-tables.ts';

export const indexes: Check = {
  about: 'indexes',
  async *find(examined) {
    for (const pack of examined.packs) {
      const { schema, indexes: wanted = [] } = pack;
      if (schema !== undefined && wanted.length > 0) yield* packFindings({ ...pack, schema }, wanted, examined);
    }
  },
};

async function* packFindings(
  pack: ConfiguredPack & { readonly schema: string },
  wanted: readonly TableIndex[],
  examined: Examined,
): AsyncGenerator<Finding> {
  const tables = [...new Set(wanted.map(({ table }) => table))];
  const present = await presentIndexes(examined, pack.schema, tables);
  const rights = await columnRights(examined, pack.schema, tables);
  // Another check reports missing columns.
  const possible = wanted.filter(({ table, columns, over }) =>
    [...columns, ...(over ? [over.column] : [])].every((column) => rights.state(table, column) !== 'missing'),
  );
  if (possible.length === 0) return;
  const flaws = [
    ...present.filter(({ isValid }) => !isValid).map((index) => invalidFinding(pack.schema, index)),
    ...possible.flatMap((index) => wantedFindings(pack.schema, index, present)),
  ];
  yield* flaws;
  if (flaws.length === 0) yield { severity: 'ok', what: `the large tables of ${pack.name} have their indexes` };
}

function wantedFindings(schema: string, wanted: TableIndex, present: readonly PresentIndex[]): Finding[] {
  const serving = present.filter((index) => index.isValid && serves(index, wanted));
  const table = `${readableIdentifier(schema)}.${wanted.table}`;
  if (serving.length === 0) {
    const condition = wanted.over === undefined ? '' : ` where ${wanted.over.where}`;
    return [
      {
        severity: 'warning',
        what: `no index on ${table} (${wanted.columns.join(', ')})${condition}: ${wanted.queries.join(', ')} will get slower as it grows`,
        repair: `create index concurrently if not exists ${wanted.name} on ${table} ${wanted.definition};`,
      },
    ];
  }
  return scatteredFindings(serving, table, wanted.columns[0]!);
}

/** Compares the columns and the condition. */
export function serves(index: PresentIndex, { table, columns, over }: TableIndex): boolean {
  return (
    index.table === table &&
    columns.every((column, i) => index.columns[i] === column) &&
    plain(index.where) === plain(over?.where ?? '')
  );
}

/** PostgreSQL adds casts and parentheses when it prints a condition. */
function plain(condition: string): string {
  return condition
    .toLowerCase()
    .replaceAll('::text', '')
    .replaceAll(/[\s()]+/g, '');
}

/** Reading a whole table with fewer rows at each poll is cheap enough. */
const LARGE_ROWS = 100_000;

/** Checks whether large tables of the user have an index for reading their latest rows. */
export const userIndexes: Check = {
  about: 'the indexes of your tables',
  async *find(examined) {
    const counted = examined.planned.filter(isUserCounter);
    const names = [...new Set(counted.map(({ config }) => config.table))];
    const sizes = await examined.ask(SIZES, namedTablesValues(names));
    for (const planned of counted) {
      const { flaws } = await examined.tableOf(planned.config);
      const size = sizes.find(({ name }) => name === planned.config.table);
      yield* manyKeysFindings(planned, Number(size?.['rows'] ?? 0), maxKeys(examined.config));
      if (!size || Number(size['rows']) < LARGE_ROWS || flaws.some(({ failure }) => failure)) continue;
      yield* largeFindings(planned, examined, { rows: Number(size['rows']), isPartitioned: size['kind'] === 'p' });
    }
  },
};

/** With a condition, the number of keys is unknown. */
function manyKeysFindings({ id, config }: PlannedUserCounter, rows: number, max: number): Finding[] {
  if (!isKeyed(config) || config.where !== undefined || rows <= max) return [];
  return [
    {
      severity: 'error',
      what: `${id} counts nothing: it would remember about ${rows} keys, and max_keys is ${max}`,
      repair: 'Raise max_keys, set storage to keep them on disk, or set append_only if rows are only inserted',
    },
  ];
}

/** The sizes in the statistics. */
const SIZES = `
  select name, root.relkind::text as kind,
         sum(greatest(stored.reltuples, pg_stat_get_live_tuples(stored.oid)))::float8 as rows
  from ${NAMED_TABLES}
  ${STORED_PARTS}
  group by name, root.relkind`;

async function* largeFindings(
  { id, config }: PlannedUserCounter,
  examined: Examined,
  { rows, isPartitioned }: { readonly rows: number; readonly isPartitioned: boolean },
): AsyncGenerator<Finding> {
  const [schema, tableName] = config.table.split('.') as [string, string];
  const table = `${readableIdentifier(schema)}.${readableIdentifier(tableName)}`;
  if (config.time_column === undefined) {
    yield {
      severity: 'warning',
      what: `${id} reads about ${rows} rows, all of ${table}, at each poll`,
      repair: 'Set time_column to the column with the insertion time, and create an index on it',
    };
    return;
  }
  const all = await presentIndexes(examined, schema, [tableName]);
  const onTime = all.filter(({ columns, where }) => columns[0] === config.time_column && where === '');
  yield* onTime.filter(({ isValid }) => !isValid).map((index) => invalidFinding(schema, index));
  const serving = onTime.filter((index) => index.isValid && servesTime(index, config.time_column!));
  const column = readableIdentifier(config.time_column);
  if (serving.length > 0) {
    yield* scatteredFindings(serving, table, column);
    return;
  }
  const repair = isPartitioned
    ? `create index on ${table} (${column}); -- blocks writers, unless each partition already has an index built with CONCURRENTLY`
    : `create index concurrently on ${table} (${column});`;
  yield {
    severity: 'warning',
    what: `no index on ${table} (${column}): ${id} reads all of its about ${rows} rows at each poll`,
    repair,
  };
}

/** True if the rows since a time can be found in the index. */
export function servesTime({ columns, where, method }: PresentIndex, column: string): boolean {
  return columns[0] === column && where === '' && RANGES.has(method);
}

/** The index methods that support ranges. */
const RANGES = new Set(['btree', 'brin']);

/** With a lower correlation, the rows of a time range are spread over the table, and a BRIN index selects nearly all blocks. */
const MIN_CORRELATION = 0.9;

export interface PresentIndex {
  readonly table: string;
  readonly name: string;
  readonly isValid: boolean;
  readonly method: string;
  readonly where: string;
  readonly correlation: number | undefined;
  readonly columns: readonly string[];
}

/** @throws PostgresError */
export async function presentIndexes(
  { ask }: Pick<Examined, 'ask'>,
  schema: string,
  tables: readonly string[],
): Promise<readonly PresentIndex[]> {
  return (await ask(INDEXES, [schema, tables])).map(readIndex);
}

/** An expression has an empty name. `correlation` belongs to the first column; NULL if it is unknown or the role may not read the table. */
const INDEXES = `
  select t.relname::text as table_name, i.relname::text as index_name, x.indisvalid as is_valid, am.amname::text as method,
         pg_get_expr(x.indpred, x.indrelid) as predicate, s.correlation,
         array(select coalesce(a.attname::text, '') from unnest(x.indkey::int2[]) with ordinality key (number, position)
               left join pg_attribute a on a.attrelid = t.oid and a.attnum = key.number order by key.position) as columns
  from pg_index x
  join pg_class t on t.oid = x.indrelid
  join pg_class i on i.oid = x.indexrelid
  join pg_am am on am.oid = i.relam
  left join pg_stats s on s.schemaname = $1 and s.tablename = t.relname and not s.inherited
    and s.attname = (select attname from pg_attribute where attrelid = t.oid and attnum = x.indkey[0])
  where t.relnamespace = to_regnamespace(quote_ident($1)) and t.relname = any ($2)`;

function readIndex(row: Row): PresentIndex {
  return {
    table: String(row['table_name']),
    name: String(row['index_name']),
    isValid: row['is_valid'] === true,
    method: String(row['method']),
    where: typeof row['predicate'] === 'string' ? row['predicate'] : '',
    correlation: typeof row['correlation'] === 'number' ? row['correlation'] : undefined,
    columns: row['columns'] as readonly string[],
  };
}

/** A finding if all usable indexes are BRIN indexes on scattered rows. */
export function scatteredFindings(serving: readonly PresentIndex[], table: string, column: string): Finding[] {
  const scattered = serving.filter(
    ({ method, correlation }) => method === 'brin' && Math.abs(correlation ?? 1) < MIN_CORRELATION,
  );
  if (scattered.length < serving.length) return [];
  const { name, correlation } = scattered[0]!;
  return [
    {
      severity: 'warning',
      what: `rows of ${table} are not stored in the order of ${column} (correlation ${correlation!.toFixed(2)}): BRIN index ${name} selects most of the table`,
      repair: `create index concurrently on ${table} (${column});`,
    },
  ];
}

export function invalidFinding(schema: string, { name, table }: PresentIndex): Finding {
  return {
    severity: 'warning',
    what: `index ${name} on ${table} is invalid (its build was interrupted): it slows down writes and is never used`,
    repair: `drop index concurrently ${readableIdentifier(schema)}.${readableIdentifier(name)};`,
  };
}
