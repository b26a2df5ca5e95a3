import { crc32 } from 'node:zlib';
import * as v from 'valibot';
import type { StorageSpace } from '../../../../engine/storage.ts';
import type { TableIdentity } from './counted-table.ts';
import type { Position } from './counted-table.ts';
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
  /** Divides recent from older rows until both are counted up to the same position. By the database's clock. */
  readonly boundUnixMs: number;
  /** The statistics' number of inserted rows when counting started. Undefined: no statistics. */
  readonly insertedAtStart: number | undefined;
  /** The rows counted since then: the events that every row has, if the query has events. */
  readonly rowsCounted: number;
  readonly totals: Totals;
}

const VERSION = 1;

/** The bytes include a checksum, because a number that a broken disk has changed is worse than no number. */
export function encodeState(state: KeptState): Uint8Array {
  const { totals, ...rest } = state;
  const json = JSON.stringify({ version: VERSION, ...rest, series: [...totals.series.values()] });
  return Buffer.from(`${checksum(json)}${json}`);
}

/** @throws Error if `encodeState` did not write these bytes. */
export function decodeState(bytes: Uint8Array): KeptState {
  const text = Buffer.from(bytes).toString();
  const json = text.slice(CHECKSUM_LENGTH);
  if (checksum(json) !== text.slice(0, CHECKSUM_LENGTH)) throw new Error('the checksum does not match');
  const { version: _, series, ...state } = v.parse(stateSchema, JSON.parse(json));
  return { ...state, insertedAtStart: state.insertedAtStart, totals: Totals.of(series) };
}

const CHECKSUM_LENGTH = 8;

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(CHECKSUM_LENGTH, '0');
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const position: v.GenericSchema<unknown, Position> = v.pipe(
  v.object({ xid: count, key: v.optional(v.string()) }),
  v.transform(({ xid, key }) => ({ xid, key })),
);
const series: v.GenericSchema<unknown, TotalSeries> = v.object({
  metric: v.string(),
  attributes: v.record(v.string(), v.string()),
  count,
  sum: v.number(),
  bucketCounts: v.array(count),
});
const stateSchema = v.object({
  version: v.literal(VERSION),
  meaning: v.string(),
  identity: v.object({ history: v.string(), file: v.string() }),
  startUnixMs: v.number(),
  position,
  olderPosition: position,
  boundUnixMs: v.number(),
  insertedAtStart: v.pipe(
    v.optional(count),
    v.transform((rows) => rows),
  ),
  rowsCounted: count,
  series: v.array(series),
});

/** Stores the counted events of each key, one bit for each event. */
export class CountedKeys {
  readonly #space: StorageSpace;
  readonly #prefix: string;

  /** @param prefix the prefix of its keys in the storage. */
  constructor(space: StorageSpace, prefix: string) {
    this.#space = space;
    this.#prefix = prefix;
  }

  /** The counted events of each key; 0 if none was counted. @throws StorageError */
  async eventsOf(keys: readonly string[]): Promise<(key: string) => number> {
    const found = await this.#space.get(keys.map((key) => this.#place(key)));
    return (key) => found.get(this.#place(key))?.[0] ?? 0;
  }

  /** The write that stores these events. */
  changes(events: Iterable<readonly [key: string, events: number]>): Map<string, Uint8Array> {
    return new Map([...events].map(([key, bits]) => [this.#place(key), new Uint8Array([bits])]));
  }

  /** @throws StorageError */
  async forgetAll(): Promise<void> {
    await this.#space.clear(this.#prefix);
  }

  #place(key: string): string {
    return `${this.#prefix}${key}`;
  }
}
