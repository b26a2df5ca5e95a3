import { crc32 } from 'node:zlib';
import * as v from 'valibot';
import type { Position, Sweep, TableIdentity } from './counted-table.ts';
import { Totals, type TotalSeries } from './totals.ts';

/** The state of a counter in the storage. It is written in one piece, so that all parts are equally old. */
export interface KeptState {
  /** See `CounterQuery.meaning`. */
  readonly meaning: string;
  readonly identity: TableIdentity;
  /** When counting started, by siphon's clock: the start time of every series. */
  readonly startUnixMs: number;
  /** All recent rows before this position are counted. */
  readonly position: Position;
  /** All older rows before this position are counted. Never after `position`. */
  readonly olderPosition: Position;
  /** The rows that are counted apart from both positions; undefined: none. */
  readonly sweep: Sweep | undefined;
  /** Divides recent from older rows until both are counted up to the same position. By the database's clock. */
  readonly boundUnixMs: number;
  /** When all rows were last read, or owed to a sweep. By the database's clock. */
  readonly reconciledUnixMs: number;
  /** The statistics' number of inserted rows when counting started. Undefined: no statistics. */
  readonly insertedAtStart: number | undefined;
  /** The rows counted since then: the events that every row has, if the query has events. */
  readonly rowsCounted: number;
  /** The number of remembered keys. */
  readonly keys: number;
  readonly totals: Totals;
}

/** It counts the formats of this state and of the counted keys. */
const VERSION = 3;

/** The bytes include a checksum, because a number that a broken disk has changed is worse than no number. */
export function encodeState(state: KeptState): Uint8Array {
  const { totals, ...rest } = state;
  const json = JSON.stringify({ version: VERSION, ...rest, series: [...totals.series.values()] });
  return Buffer.from(`${checksum(json)}${json}`);
}

/**
 * The state; undefined if another version wrote it.
 *
 * @throws Error if `encodeState` did not write these bytes.
 */
export function decodeState(bytes: Uint8Array): KeptState | undefined {
  const text = Buffer.from(bytes).toString();
  const json = text.slice(CHECKSUM_LENGTH);
  if (checksum(json) !== text.slice(0, CHECKSUM_LENGTH)) throw new Error('the checksum does not match');
  const decoded: unknown = JSON.parse(json);
  if (v.is(v.object({ version: v.number() }), decoded) && decoded.version !== VERSION) return undefined;
  const { version: _, series, ...state } = v.parse(stateSchema, decoded);
  return { ...state, totals: Totals.of(series) };
}

/** A value that JSON omits, as a property that always exists. */
function orUndefined<T>(schema: v.GenericSchema<unknown, T>): v.GenericSchema<unknown, T | undefined> {
  return v.pipe(
    v.nullish(schema, null),
    v.transform((value) => value ?? undefined),
  );
}

const CHECKSUM_LENGTH = 8;

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(CHECKSUM_LENGTH, '0');
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const files = v.record(v.string(), v.string());
const position: v.GenericSchema<unknown, Position> = v.pipe(
  v.object({ xid: count, key: v.optional(v.string()) }),
  v.transform(({ xid, key }) => ({ xid, key })),
);
const sweep: v.GenericSchema<unknown, Sweep> = v.object({
  after: orUndefined(position),
  olderAfter: position,
  boundUnixMs: v.number(),
  upTo: position,
  parts: orUndefined(v.array(v.string())),
  block: count,
  endBlock: count,
  files,
});
const series: v.GenericSchema<unknown, TotalSeries> = v.object({
  metric: v.string(),
  attributes: v.record(v.string(), v.string()),
  count,
  sum: v.string(),
  bucketCounts: v.array(count),
});
const stateSchema = v.object({
  version: v.literal(VERSION),
  meaning: v.string(),
  identity: v.object({
    history: v.string(),
    file: v.string(),
    key: v.string(),
    parts: files,
  }),
  startUnixMs: v.number(),
  position,
  olderPosition: position,
  boundUnixMs: v.number(),
  reconciledUnixMs: v.number(),
  insertedAtStart: orUndefined(count),
  sweep: orUndefined(sweep),
  rowsCounted: count,
  keys: count,
  series: v.array(series),
});
