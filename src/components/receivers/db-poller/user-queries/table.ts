import { readableIdentifier } from '../../../../postgres/identifier.ts';
import type { PostgresFailure } from '../../../../postgres/postgres-error.ts';
import type { Row } from '../../../../postgres/read-only-pool.ts';
import { kindOf, whyUncountable } from '../counters/countable.ts';
import type { UserCounterConfig } from './config.ts';
import { isKeyed } from './counter.ts';

/** A property of a table that prevents counting, or makes it inexact or expensive. */
export interface TableFlaw {
  /** Why the rows cannot be counted. Undefined: they can. */
  readonly failure?: PostgresFailure;
  readonly what: string;
  readonly repair: string;
}

/** The table of a query, compared with the query's configuration. */
export interface UserTable {
  /** The columns that identify a row. */
  readonly key: readonly string[];
  readonly flaws: readonly TableFlaw[];
}

/** Runs one statement. */
export type Ask = (text: string, values: readonly unknown[]) => Promise<readonly Row[]>;

/** @throws PostgresError if the database does not answer */
export async function userTable(config: UserCounterConfig, ask: Ask): Promise<UserTable> {
  const [row] = await ask(TABLE, config.table.split('.'));
  const found = row as unknown as FoundTable;
  const primaryKey = found.keys.find(({ is_primary }) => is_primary)?.columns;
  const key = config.key ?? primaryKey ?? [];
  return { key, flaws: flawsOf(config, found, key) };
}

interface FoundTable {
  readonly role: string;
  readonly has_schema: boolean;
  readonly may_use: boolean;
  readonly has_table: boolean;
  /** The result of `kindOf`. */
  readonly kind: string;
  readonly time_zone: string;
  readonly columns: Readonly<Record<string, FoundColumn>>;
  /** Sets of columns that are unique and never NULL. */
  readonly keys: readonly { readonly is_primary: boolean; readonly columns: readonly string[] }[];
}

interface FoundColumn {
  readonly type: string;
  /** As in `pg_type.typcategory`. */
  readonly category: string;
  readonly may_read: boolean;
}

/** `xmin` is the number of the transaction that wrote a row. Views do not have it. */
const TABLE = `
  select quote_ident(current_user) as role, current_setting('TimeZone') as time_zone, n.oid is not null as has_schema,
         coalesce(has_schema_privilege(n.oid, 'usage'), false) as may_use, t.oid is not null as has_table,
         ${kindOf('t')} as kind,
         coalesce((
           select json_object_agg(a.attname, json_build_object(
             'type', format_type(coalesce(nullif(y.typbasetype, 0), y.oid), null), 'category', y.typcategory,
             'may_read', has_column_privilege(t.oid, a.attnum, 'select')))
           from pg_attribute a join pg_type y on y.oid = a.atttypid
           where a.attrelid = t.oid and (a.attnum > 0 or a.attname = 'xmin') and not a.attisdropped), '{}') as columns,
         coalesce((
           select json_agg(json_build_object('is_primary', indisprimary, 'columns', key_columns))
           from pg_index
           cross join lateral (
             select array_agg(a.attname order by position) as key_columns, bool_and(a.attnotnull) as is_complete
             from unnest(indkey::int2[]) with ordinality key (number, position)
             join pg_attribute a on a.attrelid = indrelid and a.attnum = number
             where position <= indnkeyatts) key
           where indrelid = t.oid and indisunique and indisvalid and indpred is null and indexprs is null
             and is_complete), '[]') as keys
  from (values ($1::name, $2::name)) wanted (schema_name, table_name)
  left join pg_namespace n on n.nspname = schema_name
  left join pg_class t on t.relnamespace = n.oid and t.relname = table_name and t.relkind in ('r', 'p', 'v', 'm', 'f')`;

function flawsOf(config: UserCounterConfig, found: FoundTable, key: readonly string[]): TableFlaw[] {
  const place = { ...found, table: config.table.split('.').map(readableIdentifier).join('.') };
  const absent = absence(place);
  if (absent) return [absent];
  return [...columnFlaws(config, place, key), ...keyFlaws(place, key), ...typeFlaws(config, place), ...partitionFlaws(config, place)]; // prettier-ignore
}

interface Place extends FoundTable {
  /** The SQL name, with the schema. */
  readonly table: string;
}

/** The flaw that makes all others irrelevant. */
function absence({ table, role, has_schema, may_use, has_table, kind }: Place): TableFlaw | undefined {
  const repair = 'Set table to schema.table, spelled as in pg_class';
  const schema = table.slice(0, table.indexOf('.'));
  if (!has_schema) return { failure: 'missing_table', what: `schema ${schema} does not exist`, repair };
  if (!may_use) {
    const what = `role ${role} may not use schema ${schema}`;
    return { failure: 'permission', what, repair: `grant usage on schema ${schema} to ${role};` };
  }
  if (!has_table) return { failure: 'missing_table', what: `table ${table} does not exist`, repair };
  const reason = whyUncountable(table, kind);
  return reason && { failure: 'other', ...reason };
}

/** The columns of a condition are checked when it is run. */
function columnFlaws(config: UserCounterConfig, { table, role, columns }: Place, key: readonly string[]): TableFlaw[] {
  const value = config.kind === 'histogram' ? [config.value_column] : [];
  const time = config.time_column === undefined ? [] : [config.time_column];
  const wanted = [...new Set([...key, ...config.labels, ...value, ...time])];
  const missing = wanted.filter((column) => !columns[column]);
  const hidden = [...wanted, 'xmin'].filter((column) => columns[column]?.may_read === false);
  const uses = [
    ...use('key', key, missing),
    ...use('labels', config.labels, missing),
    ...use('value_column', value, missing),
    ...use('time_column', time, missing),
  ];
  return [
    ...(missing.length > 0
      ? [
          {
            failure: 'missing_column' as const,
            what: `table ${table} has no column ${missing.join(', ')}`,
            repair: `Use existing columns in ${uses.join(' and ')}`,
          },
        ]
      : []),
    ...(hidden.length > 0
      ? [
          {
            failure: 'permission' as const,
            what: `role ${role} may not read ${hidden.join(', ')} of ${table}`,
            repair: `grant select on ${table} to ${role};`,
          },
        ]
      : []),
  ];
}

function use(name: string, columns: readonly string[], missing: readonly string[]): string[] {
  return columns.some((column) => missing.includes(column)) ? [name] : [];
}

function keyFlaws({ table, keys }: Place, key: readonly string[]): TableFlaw[] {
  const known = keys[0]?.columns;
  if (key.length === 0) {
    const repair = known
      ? `Set key: [${known.join(', ')}]`
      : 'Set key to columns that identify a row, or add a primary key';
    return [{ failure: 'other', what: `table ${table} has no primary key`, repair }];
  }
  if (keys.some(({ columns }) => columns.every((column) => key.includes(column)))) return [];
  const repair = known
    ? `Set key: [${known.join(', ')}]`
    : `create unique index concurrently on ${table} (${key.join(', ')}); and set the columns NOT NULL`;
  const what = `${key.join(', ')} is not covered by a unique index over NOT NULL columns of ${table}: rows with the same key may be counted as one`;
  return [{ what, repair }];
}

function typeFlaws(config: UserCounterConfig, { table, columns, time_zone }: Place): TableFlaw[] {
  const value = config.kind === 'histogram' ? columns[config.value_column] : undefined;
  const time = config.time_column === undefined ? undefined : columns[config.time_column];
  return [
    ...(config.kind === 'histogram' && value ? valueFlaws(`${table}.${config.value_column}`, value) : []),
    ...(time ? timeFlaws(`${table}.${config.time_column}`, time, time_zone) : []),
  ];
}

/** PostgreSQL writes a value of type money with its currency, so it cannot be read as a number. */
function valueFlaws(column: string, { type, category }: FoundColumn): TableFlaw[] {
  const repair = 'Set value_column to a column of numbers';
  if (category === 'N' && type !== 'money') return [];
  if (category === 'S')
    return [
      {
        what: `${column} has type ${type}: values that are not numbers are dropped and counted as not_a_number`,
        repair,
      },
    ];
  return [{ failure: 'other', what: `${column} has type ${type}, which is not numeric`, repair }];
}

const UTC = new Set(['UTC', 'Etc/UTC', 'GMT', 'Etc/GMT', 'Zulu']);

function timeFlaws(column: string, { type }: FoundColumn, timeZone: string): TableFlaw[] {
  const repair = 'Set time_column to a column of type timestamptz, or omit it if the table is small';
  if (type === 'timestamp with time zone') return [];
  if (type === 'date')
    return [{ what: `${column} has type date: rows are counted only every reconcile_interval`, repair }];
  if (type !== 'timestamp without time zone')
    return [{ failure: 'other', what: `${column} has type ${type}, which is not a time`, repair }];
  if (UTC.has(timeZone)) return [];
  const what = `${column} has no time zone and is read as ${timeZone}: if its times are earlier, rows are counted only every reconcile_interval`;
  return [{ what, repair: `${repair}. If it is UTC, add options=-c%20TimeZone%3DUTC to the datasource` }];
}

/** The rows of a rewritten partition look new. With `once`, a counted key is not counted again. */
function partitionFlaws(config: UserCounterConfig, { table, kind }: Place): TableFlaw[] {
  if (kind !== 'p' || isKeyed(config)) return [];
  const what = `${table} is partitioned: an ALTER TABLE that rewrites a partition counts its rows again`;
  return [{ what, repair: 'Set once: true, so that each key counts only once' }];
}
