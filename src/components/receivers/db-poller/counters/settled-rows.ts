import type { Schema, Statement } from '../query.ts';
import type { RowsRequest } from './counted-table.ts';
import type { CounterQuery } from '../query.ts';

/** The columns that the counter needs, in addition to labels and values. */
export const columns = {
  /** The distance from the transaction of `after` to the one that wrote the row. */
  distance: 'siphon_distance',
  key: 'siphon_key',
  events: 'siphon_events',
  waiting: 'siphon_waiting',
} as const;

/** The rows between two positions, in order. */
export function settledRows(
  query: CounterQuery,
  schema: Schema,
  request: RowsRequest & { readonly nextXid: number },
): Statement {
  const { after, upTo, limit } = request;
  const values: unknown[] = [upTo.xid - after.xid, limit];
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  const fromAfter = distanceFrom(request, parameter);
  const conditions = [
    `${fromAfter} >= 0`,
    upTo.key === undefined
      ? `${fromAfter} < $1::bigint`
      : `(${fromAfter} < $1::bigint or ${fromAfter} = $1::bigint and ${keyOf(query)} <= ${parameter(upTo.key)})`,
    ...(after.key === undefined ? [] : [`(${fromAfter} > 0 or ${keyOf(query)} > ${parameter(after.key)})`]),
    ...laneCondition(query, schema, request, parameter),
  ];
  const { select, joins } = query.details(schema);
  const { distance, key, events, waiting } = columns;
  const text = `
    with pending as materialized (
      select ${fromAfter} as ${distance}, ${keyOf(query)} as ${key}, ${eventsOf(query)} as ${events}${query.columns.map((column) => `, entry.${column}`).join('')}
      from ${schema.table(query.table)} entry
      where ${conditions.join(' and ')}
    ), batch as materialized (
      select * from pending order by ${distance}, ${key} limit $2::bigint
    )
    select entry.${distance}, entry.${key}, entry.${events}, (select count(*) from pending) as ${waiting}, ${select}
    from batch entry ${joins}
    order by entry.${distance}, entry.${key}`;
  return { text, values };
}

/** SQL for the key and events of every row that has an event. */
export function rowsWithEvents(query: CounterQuery, schema: Schema): string {
  return `
    select ${keyOf(query)} as ${columns.key}, ${eventsOf(query)} as ${columns.events}
    from ${schema.table(query.table)} entry where ${eventsOf(query)} <> 0`;
}

/**
 * Examines the first rows of the file: how many were written before a transaction, how many by the transaction that last
 * changed the table, and the number of writing transactions. A rewrite gives every row its own transaction number, which
 * is also in pg_class, and later rows follow behind them in the file.
 */
export function firstRows(query: CounterQuery, schema: Schema, sinceXid: number): Statement {
  const table = schema.table(query.table);
  const text = `
    select count(*) filter (where (xid - $1::bigint + 2147483648) & 4294967295 < 2147483648) as written_before,
           count(*) filter (where xid = (select xmin::text::bigint from pg_class where oid = $2::regclass)) as with_table,
           count(distinct xid) as writers
    from (select entry.xmin::text::bigint as xid from ${table} entry where ctid < '(1000,0)' limit 1000) entry`;
  return { text, values: [sinceXid, table] };
}

/** For distances below it, comparing the ages that PostgreSQL computes shows which transaction is older. */
const NEAR = 2 ** 30;

/**
 * SQL for the distance from the transaction of `after` to the row's transaction.
 *
 * A row holds the lower 32 bits of its transaction's number. The distance modulo 2^32 is exact as long as fewer
 * transactions lie between them: rows before the position, and rows of future transactions, are further away than the end.
 * If the position is near, the difference of two ages is equal and cheaper, and below 0 for rows before the position:
 * PostgreSQL computes both ages from the same point, which is above every row of the snapshot. The age of the position is
 * a subquery, so that it is computed once and not for each row.
 */
function distanceFrom(
  { after, nextXid }: RowsRequest & { readonly nextXid: number },
  parameter: (value: unknown) => string,
): string {
  return nextXid - after.xid < NEAR
    ? `((select age(${parameter(String(after.xid % 2 ** 32))}::text::xid)::bigint) - age(entry.xmin))`
    : `((entry.xmin::text::bigint - ${parameter(after.xid)}::bigint) & 4294967295)`;
}

/** The key as text, ordered by bytes regardless of the database's collation. */
function keyOf({ key }: CounterQuery): string {
  const parts = key.map((column) => `entry.${column}::text`);
  return `(${parts.length === 1 ? parts[0] : `json_build_array(${parts.join(', ')})::text`} collate "C")`;
}

function eventsOf({ events = {} }: CounterQuery): string {
  const bits = Object.values(events).map((condition, i) => `case when (${condition}) then ${1 << i} else 0 end`);
  return bits.length === 0 ? '0' : `(${bits.join(' + ')})`;
}

function laneCondition(
  { bound }: CounterQuery,
  schema: Schema,
  { lane, boundUnixMs }: RowsRequest,
  parameter: (value: unknown) => string,
): string[] {
  if (lane === 'all' || !bound) return [];
  const time = `to_timestamp(${parameter(boundUnixMs)}::float8 / 1000)`;
  return [lane === 'recent' ? bound.recent(schema, time) : bound.older(schema, time)];
}
