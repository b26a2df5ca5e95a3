import { readableIdentifier } from '../../../../postgres/identifier.ts';
import { kindOf, whyUncountable } from '../counters/countable.ts';
import type { UserCounterConfig } from './config.ts';
import type { AskedDatabase } from './asked-database.ts';
import { conditionFlaws } from './condition.ts';
import { isKeyed } from './counter.ts';
import { labelColumns, lookupsOf } from './labels.ts';
import { lookupFlaws } from './lookup.ts';
import { valueColumns } from './value.ts';
import type { TableFlaw } from './table-flaw.ts';

/** The table of a query, compared with the query's configuration. */
export interface UserTable {
  /** The columns that identify a row. */
  readonly key: readonly string[];
  /** False if no unique index covers all rows, so that only the rows show whether the key identifies them. */
  readonly isKeyProven: boolean;
  readonly flaws: readonly TableFlaw[];
}

/** @throws PostgresError if the database does not answer */
export async function userTable(config: UserCounterConfig, database: AskedDatabase): Promise<UserTable> {
  const found = await foundTable(config.table, database);
  const key = config.key ?? defaultKey(found);
  return {
    key,
    isKeyProven: isUnique(found, key),
    flaws: [
      ...flawsOf(config, found, key),
      ...(await conditionFlaws(config, found, database)),
      ...(await lookupFlaws(lookupsOf(config.labels), async (table) => await foundTable(table, database))),
    ],
  };
}

async function foundTable(table: string, database: AskedDatabase): Promise<FoundTable> {
  const [row] = await database.ask(TABLE, table.split('.'));
  return row as unknown as FoundTable;
}

/**
 * The primary key. A partitioned table has the columns of its partitions in it, which change when a row moves to another
 * partition: they are omitted if a generated column identifies the row. The primary key of a table with children is
 * only about its own rows.
 */
function defaultKey({ kind, keys, columns, has_children, partition_columns }: FoundTable): readonly string[] {
  const primaryKey = keys.find(({ is_primary }) => is_primary)?.columns ?? [];
  if (kind !== 'p') return has_children && primaryKey.length > 0 ? ['tableoid', ...primaryKey] : primaryKey;
  const lasting = primaryKey.filter((column) => !partition_columns.includes(column));
  return lasting.some((column) => columns[column]?.is_generated) ? lasting : primaryKey;
}

interface FoundTable {
  readonly role: string;
  readonly has_schema: boolean;
  readonly may_use: boolean;
  readonly has_table: boolean;
  /** The result of `kindOf`. */
  readonly kind: string;
  /** The time zone of a session without siphon's own settings. */
  readonly time_zone: string;
  readonly columns: Readonly<Record<string, FoundColumn>>;
  /** Sets of columns that are unique and never NULL. */
  readonly keys: readonly { readonly is_primary: boolean; readonly columns: readonly string[] }[];
  /** The columns that decide which partition a row is in, on all levels. */
  readonly partition_columns: readonly string[];
  /** True if other tables inherit from it. */
  readonly has_children: boolean;
  /** Since the statistics were reset. */
  readonly updated_rows: number;
  /** True if a crash of the server empties it. */
  readonly is_unlogged: boolean;
  readonly is_standby: boolean;
}

interface FoundColumn {
  readonly type: string;
  /** As in `pg_type.typcategory`. */
  readonly category: string;
  readonly may_read: boolean;
  /** True if the database gives each row another value: an identity, a sequence or a random UUID. */
  readonly is_generated: boolean;
}

/** `xmin` is the number of the transaction that wrote a row. Views do not have it. */
const TABLE = `
  select quote_ident(current_user) as role, (select reset_val from pg_settings where name = 'TimeZone') as time_zone, n.oid is not null as has_schema,
         coalesce(has_schema_privilege(n.oid, 'usage'), false) as may_use, t.oid is not null as has_table,
         ${kindOf('t')} as kind,
         coalesce((
           select json_object_agg(a.attname, json_build_object(
             'type', format_type(coalesce(nullif(y.typbasetype, 0), y.oid), null), 'category', y.typcategory,
             'may_read', has_column_privilege(t.oid, a.attnum, 'select'),
             'is_generated', a.attidentity <> '' or coalesce(pg_get_expr(d.adbin, d.adrelid) ~ '(nextval|uuid[a-z0-9_]*)\\(', false)))
           from pg_attribute a join pg_type y on y.oid = a.atttypid
           left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum and a.attgenerated = ''
           where a.attrelid = t.oid and (a.attnum > 0 or a.attname in ('xmin', 'tableoid')) and not a.attisdropped),
           '{}') as columns,
         coalesce((
           select json_agg(distinct a.attname)
           from pg_partition_tree(t.oid) part
           join pg_partitioned_table level on level.partrelid = part.relid
           join pg_attribute a on a.attrelid = level.partrelid and a.attnum = any (level.partattrs::int2[])
           where t.relkind = 'p'), '[]') as partition_columns,
         coalesce(t.relpersistence = 'u', false) as is_unlogged, pg_is_in_recovery() as is_standby,
         t.relkind = 'r' and exists (select from pg_inherits where inhparent = t.oid) as has_children,
         coalesce((
           select sum(pg_stat_get_tuples_updated(part.relid))
           from (select t.oid as relid where t.relkind <> 'p'
                 union all select relid from pg_partition_tree(t.oid) where isleaf and t.relkind = 'p') part), 0)::float8 as updated_rows,
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
  return [
    ...columnFlaws(config, place, key),
    ...keyFlaws(config, place, key),
    ...typeFlaws(config, place),
    ...(isKeyed(config) ? [...unloggedFlaws(place), ...stateFlaws(config, place)] : appendOnlyFlaws(place)),
  ];
}

/** Columns that usually change in the life of a row, by the last word of their name. */
const STATE = /(?:^|_)(?:phase|stage|state|status|step)$/i;

/** A row counts once, so it stays under the state that it had then. */
function stateFlaws({ labels }: UserCounterConfig, { table, updated_rows }: Place): TableFlaw[] {
  const states = labelColumns(labels).filter((column) => STATE.test(column));
  if (updated_rows === 0 || states.length === 0) return [];
  const what = `rows of ${table} are updated, and each counts under the ${states.join(', ')} of the moment when it is counted`;
  return [
    { what, repair: 'Use a gauge for how many there are in each state now, or a query with where for each step' },
  ];
}

interface Place extends FoundTable {
  /** The SQL name, with the schema. */
  readonly table: string;
}

/** The flaw that makes all others irrelevant. */
function absence({ table, role, has_schema, may_use, has_table, kind, ...found }: Place): TableFlaw | undefined {
  const repair = 'Set table to schema.table, spelled as in pg_class';
  const schema = table.slice(0, table.indexOf('.'));
  if (!has_schema) return { failure: 'missing_table', what: `schema ${schema} does not exist`, repair };
  if (!may_use) {
    const what = `role ${role} may not use schema ${schema}`;
    return { failure: 'permission', what, repair: `grant usage on schema ${schema} to ${role};` };
  }
  if (!has_table) return { failure: 'missing_table', what: `table ${table} does not exist`, repair };
  if (found.is_unlogged && found.is_standby)
    return { failure: 'other', what: `table ${table} is unlogged: a standby has none of its rows`, repair: 'Count it on the primary' }; // prettier-ignore
  const reason = whyUncountable(table, kind);
  return reason && { failure: 'other', ...reason };
}

/** The sequence of an unlogged table is unlogged too, since PostgreSQL 15. */
function unloggedFlaws({ table, is_unlogged }: Place): TableFlaw[] {
  if (!is_unlogged) return [];
  const what = `table ${table} is unlogged: a crash of the server empties it, and rows with keys that were counted before do not count again`;
  return [{ what, repair: `alter table ${table} set logged; or set append_only if its rows are only inserted` }];
}

/** The columns of a condition are checked when it is run. */
function columnFlaws(config: UserCounterConfig, { table, role, columns }: Place, key: readonly string[]): TableFlaw[] {
  const value = valueColumns(config);
  const labels = labelColumns(config.labels);
  const time = config.time_column === undefined ? [] : [config.time_column];
  const wanted = [...new Set([...key, ...labels, ...value, ...time])];
  const missing = wanted.filter((column) => !columns[column]);
  const hidden = [...wanted, 'xmin'].filter((column) => columns[column]?.may_read === false);
  const uses = [
    ...use('key', key, missing),
    ...use('labels', labels, missing),
    ...use(config.kind !== 'counter' && config.value ? 'value' : 'value_column', value, missing),
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

function keyFlaws(config: UserCounterConfig, place: Place, key: readonly string[]): TableFlaw[] {
  const { table, keys, has_children } = place;
  const known = keys[0]?.columns;
  if (key.length === 0) {
    const repair = known
      ? `Set key: [${known.join(', ')}]`
      : 'Set key to columns that identify a row, or add a primary key';
    return [{ failure: 'other', what: `table ${table} has no primary key`, repair }];
  }
  if (isKeyed(config) && has_children && !key.includes('tableoid')) {
    const what = `other tables inherit from ${table}, and its unique indexes do not cover their rows: rows with the same ${key.join(', ')} in two tables count once`;
    return [{ what, repair: `Set key: [tableoid, ${key.join(', ')}]` }];
  }
  if (isUnique(place, key)) return isKeyed(config) ? movingKeyFlaws(place, key) : [];
  if (isUniqueInPartitions(place, key)) return [];
  const repair = known
    ? `Set key: [${known.join(', ')}]`
    : `create unique index concurrently on ${table} (${key.join(', ')}); and set the columns NOT NULL`;
  const what = `${key.join(', ')} is not covered by a unique index over NOT NULL columns of ${table}: rows with the same key may be counted as one`;
  return [{ what, repair }];
}

function isUnique({ keys, has_children }: FoundTable, key: readonly string[]): boolean {
  const isCovered = keys.some(({ columns }) => columns.every((column) => key.includes(column)));
  return isCovered && (!has_children || key.includes('tableoid'));
}

/** True if a unique index covers the key within each partition. Whether it is unique in all of them, only the rows show. */
function isUniqueInPartitions({ kind, keys, partition_columns }: Place, key: readonly string[]): boolean {
  if (kind !== 'p') return false;
  return keys.some(({ columns }) =>
    columns.every((column) => key.includes(column) || partition_columns.includes(column)),
  );
}

function movingKeyFlaws({ table, kind, partition_columns }: Place, key: readonly string[]): TableFlaw[] {
  const moving = key.filter((column) => partition_columns.includes(column));
  const lasting = key.filter((column) => !partition_columns.includes(column));
  if (kind !== 'p' || moving.length === 0 || lasting.length === 0) return [];
  const what = `${moving.join(', ')} in the key decides the partition of ${table}: a row that moves to another partition counts again`;
  return [{ what, repair: `Set key: [${lasting.join(', ')}] if that identifies a row` }];
}

function typeFlaws(config: UserCounterConfig, { table, columns, time_zone }: Place): TableFlaw[] {
  const valueColumn = valueColumnOf(config);
  const value = valueColumn === undefined ? undefined : columns[valueColumn];
  const time = config.time_column === undefined ? undefined : columns[config.time_column];
  return [
    ...(value ? valueFlaws(`${table}.${valueColumn}`, value, config) : []),
    ...(time ? timeFlaws(`${table}.${config.time_column}`, time, time_zone) : []),
  ];
}

/** The column that is the value as it is. */
function valueColumnOf(config: UserCounterConfig): string | undefined {
  if (config.kind === 'counter') return undefined;
  return config.value?.kind === 'column' ? config.value.name : config.value_column;
}

/**
 * PostgreSQL writes a value of type money with its currency, so it cannot be read as a number. A sum without the texts
 * that are not numbers would be wrong, while a distribution shows how many values it has.
 */
function valueFlaws(column: string, { type, category }: FoundColumn, config: UserCounterConfig): TableFlaw[] {
  const isExpression = config.kind !== 'counter' && config.value !== undefined;
  if ((category === 'N' && type !== 'money') || (type === 'interval' && isExpression)) return [];
  const repair = type === 'interval' ? 'Use value instead of value_column, which makes seconds of it' : `Set ${isExpression ? 'value' : 'value_column'} to a column of numbers`; // prettier-ignore
  if (category === 'S' && config.kind === 'histogram')
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
  const what = `${column} has no time zone and is read as UTC, and the time zone of the sessions is ${timeZone}: if its times are earlier than UTC, rows are counted only every reconcile_interval`;
  return [{ what, repair }];
}

/** Each version of a row counts, and so does each row of a rewritten partition. */
function appendOnlyFlaws({ table, kind, updated_rows }: Place): TableFlaw[] {
  const repair = 'Remove append_only, so that each key counts only once';
  return [
    ...(updated_rows > 0
      ? [{ what: `rows of ${table} are updated (${updated_rows} so far): each update counts again`, repair }]
      : []),
    ...(kind === 'p'
      ? [{ what: `${table} is partitioned: an ALTER TABLE that rewrites a partition counts its rows again`, repair }]
      : []),
  ];
}
