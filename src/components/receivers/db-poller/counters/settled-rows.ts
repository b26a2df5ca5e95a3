import type { Row, RowDetails, Schema, Statement } from '../query.ts';
import { before, type RowsRequest, type Sweep } from './counted-table.ts';
import type { CounterQuery } from '../query.ts';

/** The columns that the counter needs, in addition to labels and values. */
export const columns = {
  /** The distance from the transaction of `after` to the one that wrote the row. */
  distance: 'siphon_distance',
  key: 'siphon_key',
  events: 'siphon_events',
  waiting: 'siphon_waiting',
  hidden: 'siphon_hidden',
} as const;

/** The largest number of rows of a batch of several blocks. */
export const MAX_SWEPT = 40_000;
/** Sorting more rows than this many batches for each batch would take longer than reading them by blocks. */
const MAX_BATCHES = 10;

/** Enough to see what the rows hold. */
const SAMPLE_ROWS = 100;

/** The largest number of waiting rows from which a batch is taken. With more, `waiting` is higher and the rows are a small sample. */
export function mostWaiting(limit: number): number {
  return limit * MAX_BATCHES;
}

/** The rows between two positions, in order. */
export function settledRows(
  query: CounterQuery,
  schema: Schema,
  request: RowsRequest & { readonly nextXid: number },
): Statement {
  const { after, upTo, limit } = request;
  const most = mostWaiting(limit);
  const values: unknown[] = [limit, most + 1];
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  const fromAfter = distanceFrom(request, parameter);
  const conditions = [
    ...between(query, { after, upTo }, fromAfter, parameter),
    ...laneCondition(query, schema, request, parameter),
    ...(query.filter === undefined ? [] : [condition(query.filter)]),
  ];
  const { select, joins } = rowDetails(query, schema);
  const { distance, key, events, waiting } = columns;
  const text = `
    with pending as materialized (
      ${entries(query, schema, fromAfter)}
      where ${conditions.join(' and ')} limit $2::bigint
    ), counted as (
      select count(*) as ${waiting} from pending
    ), batch as materialized (
      select * from pending order by ${distance}, ${key}
      limit (select case when ${waiting} > ${most} then least(${SAMPLE_ROWS}, $1::bigint) else $1::bigint end from counted)
    )
    select entry.${distance}, entry.${key}, entry.${events}, (select ${waiting} from counted) as ${waiting}, ${select}
    from batch entry ${joins}
    order by entry.${distance}, entry.${key}`;
  return { text, values };
}

/** With the column that shows whether the labels of the row are hidden. */
function rowDetails(query: CounterQuery, schema: Schema): RowDetails {
  const { select, joins, hidden } = query.details(schema);
  return { joins, select: hidden === undefined ? select : `${select}, (${hidden}) as ${columns.hidden}` };
}

/** A range of the blocks of a sweep. */
interface SweptRange {
  readonly sweep: Sweep;
  /** The result of `inParts` for the parts of the sweep. */
  readonly inParts: string | undefined;
  readonly blocks: number;
  readonly nextXid: number;
}

/** The rows of a range of blocks, in any order. */
export function sweptRows(
  query: CounterQuery,
  schema: Schema,
  range: SweptRange & { readonly limit: number },
): Statement {
  const values: unknown[] = [];
  const { select, joins } = rowDetails(query, schema);
  const { key, events } = columns;
  const text = `
    with batch as materialized (
      ${entries(query, schema, '0')}
      where ${inRange(query, schema, range, values)} limit $${values.push(range.limit)}::bigint
    )
    select entry.${key}, entry.${events}, ${select} from batch entry ${joins}`;
  return { text, values };
}

export function sweptCount(query: CounterQuery, schema: Schema, range: SweptRange): Statement {
  const values: unknown[] = [];
  const text = `select count(*) as rows from ${schema.table(query.table)} entry where ${inRange(query, schema, range, values)}`;
  return { text, values };
}

function inRange(
  query: CounterQuery,
  schema: Schema,
  { sweep, inParts: parts, blocks, nextXid }: SweptRange,
  values: unknown[],
): string {
  const { block } = sweep;
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  return [
    `entry.ctid >= ${parameter(`(${block},0)`)}::tid`,
    `entry.ctid < ${parameter(`(${block + blocks},0)`)}::tid`,
    owed(query, schema, { sweep, nextXid }, parameter),
    ...(parts === undefined ? [] : [parts]),
    ...(query.filter === undefined ? [] : [condition(query.filter)]),
  ].join(' and ');
}

/** SQL that selects the rows of a sweep: with a bound, each of its sides has its own position. */
function owed(
  query: CounterQuery,
  schema: Schema,
  { sweep, nextXid }: { readonly sweep: Sweep; readonly nextXid: number },
  parameter: (value: unknown) => string,
): string {
  const { after, olderAfter, upTo, boundUnixMs } = sweep;
  if (after === undefined) return writtenBefore(parameter(upTo.xid), parameter(nextXid));
  const sides = query.bound ? ([['recent', after], ['older', olderAfter]] as const) : ([['all', after]] as const); // prettier-ignore
  const conditions = sides.map(([lane, from]) =>
    [
      ...laneCondition(query, schema, { lane, boundUnixMs }, parameter),
      ...between(query, { after: from, upTo }, distanceFrom({ after: from, nextXid }, parameter), parameter),
    ].join(' and '),
  );
  return `(${conditions.join(' or ')})`;
}

/** The bounds of these partitions; NULL for a table that inherits. */
export const PARTITION_BOUNDS = `
  select part.oid::text as part, pg_get_partition_constraintdef(part.oid) as bounds from unnest($1::oid[]) part (oid)`;

/**
 * SQL that selects the rows of these tables. With the bounds of the partitions, PostgreSQL does not read the others.
 *
 * @param parts rows of PARTITION_BOUNDS.
 */
export function inParts(parts: readonly Row[]): string {
  const conditions = parts.map(({ part, bounds }) => {
    const isPart = `entry.tableoid = ${Number(part)}::oid`;
    return typeof bounds === 'string' ? `(${isPart} and (${bounds}))` : isPart;
  });
  return `(${conditions.join(' or ') || 'false'})`;
}

/** Finds out whether rows of some tables were written before a transaction. */
export function rowsBefore(
  query: CounterQuery,
  schema: Schema,
  { xid, nextXid, parts }: { readonly xid: number; readonly nextXid: number; readonly parts: string },
): Statement {
  const from = `${schema.table(query.table)} entry`;
  const text = `select exists (select from ${from} where ${parts} and ${writtenBefore('$1', '$2')}) as exist`;
  return { text, values: [xid, nextXid] };
}

/** True for all rows but those of transactions from `xid` to `nextXid`: their distance from `xid` is larger. */
function writtenBefore(xid: string, nextXid: string): string {
  return `((entry.xmin::text::bigint - ${xid}::bigint) & 4294967295) >= ${nextXid}::bigint - ${xid}::bigint`;
}

function entries(query: CounterQuery, schema: Schema, distance: string): string {
  const details = query.columns.map((column) => `, entry.${column}`).join('');
  return `select ${distance} as ${columns.distance}, ${keyOf(query)} as ${columns.key}, ${eventsOf(query)} as ${columns.events}${details}
      from ${schema.table(query.table)} entry`;
}

function between(
  query: CounterQuery,
  { after, upTo }: Pick<RowsRequest, 'after' | 'upTo'>,
  fromAfter: string,
  parameter: (value: unknown) => string,
): string[] {
  const length = `${parameter(upTo.xid - after.xid)}::bigint`;
  return [
    `${fromAfter} >= 0`,
    upTo.key === undefined
      ? `${fromAfter} < ${length}`
      : `(${fromAfter} < ${length} or ${fromAfter} = ${length} and ${keyOf(query)} <= ${parameter(upTo.key)})`,
    ...(after.key === undefined ? [] : [`(${fromAfter} > 0 or ${keyOf(query)} > ${parameter(after.key)})`]),
  ];
}

/** A cursor has no parameters. */
function number(value: unknown): string {
  return `'${Number(value)}'`;
}

/** SQL for the key and events of the rows that have an event, in blocks or written since a transaction. */
export function rowsWithEvents(
  query: CounterQuery,
  schema: Schema,
  part: { readonly from: number; readonly end: number } | { readonly sinceXid: number; readonly nextXid: number },
): string {
  const isInPart =
    'from' in part
      ? `entry.ctid >= '(${part.from},0)'::tid and entry.ctid < '(${part.end},0)'::tid`
      : between(query, { after: before(part.sinceXid), upTo: before(part.nextXid) }, distanceFrom({ after: before(part.sinceXid), nextXid: part.nextXid }, number), number).join(' and '); // prettier-ignore
  return `
    select ${keyOf(query)} as ${columns.key}, ${eventsOf(query)} as ${columns.events}
    from ${schema.table(query.table)} entry where ${isInPart} and ${eventsOf(query)} <> 0`;
}

/**
 * Examines the first rows of the file: how many were written before a transaction, how many by the transaction that last
 * changed the table, and the number of writing transactions, also of those before the change. A rewrite gives every row
 * its own transaction number, which is also in pg_class until the table is changed again, and later rows follow behind
 * them in the file. Rows that were loaded after TRUNCATE are of later transactions than the table.
 */
export function firstRows(query: CounterQuery, schema: Schema, sinceXid: number): Statement {
  const table = schema.table(query.table);
  const text = `
    select count(*) filter (where (xid - $1::bigint + 2147483648) & 4294967295 < 2147483648) as written_before,
           count(*) filter (where xid = defined_by) as with_table,
           count(distinct xid) filter (where (xid - defined_by + 2147483648) & 4294967295 < 2147483648) as writers_before_table,
           count(distinct xid) as writers
    from (select xmin::text::bigint as defined_by from pg_class where oid = $2::regclass) definition,
          (select entry.xmin::text::bigint as xid from ${table} entry where ctid < '(1000,0)' limit 1000) entry`;
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
  { after, nextXid }: Pick<RowsRequest, 'after'> & { readonly nextXid: number },
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
  const bits = Object.values(events).map((holds, i) => `case when ${condition(holds)} then ${1 << i} else 0 end`);
  return bits.length === 0 ? '0' : `(${bits.join(' + ')})`;
}

/** The text may end with a comment, hence the line break. */
function condition(sql: string): string {
  return `(${sql}\n)`;
}

function laneCondition(
  { bound }: CounterQuery,
  schema: Schema,
  { lane, boundUnixMs }: Pick<RowsRequest, 'lane' | 'boundUnixMs'>,
  parameter: (value: unknown) => string,
): string[] {
  if (lane === 'all' || !bound) return [];
  const time = `to_timestamp(${parameter(boundUnixMs)}::float8 / 1000)`;
  return [lane === 'recent' ? bound.recent(schema, time) : bound.older(schema, time)];
}
