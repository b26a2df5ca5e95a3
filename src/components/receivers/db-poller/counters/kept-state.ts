import { crc32 } from 'node:zlib';
import * as v from 'valibot';
import type { StorageSpace } from '../../../../engine/storage.ts';
import type { TableIdentity } from './counted-table.ts';
import type { Position } from './counted-table.ts';
import { Totals, type TotalSeries } from './totals.ts';

/** Everything that counting goes on from. Kept in one piece, so that no part of it is ever older than another. */
export interface KeptState {
  /** What was counted; see `CounterQuery.meaning`. */
  readonly meaning: string;
  readonly identity: TableIdentity;
  /** When counting began: the start of every series, by siphon's own clock. */
  readonly startUnixMs: number;
  /** Every recent row before it is counted. */
  readonly position: Position;
  /** Every older row before it is counted. Never after `position`. */
  readonly olderPosition: Position;
  /** By the database's clock. What divides recent rows from older ones until both are counted up to one position. */
  readonly boundUnixMs: number;
  /** Rows inserted by the statistics, when counting began; undefined where there are none. */
  readonly insertedAtStart: number | undefined;
  /** Rows counted since then, or events of the kind that every row has. */
  readonly rowsCounted: number;
  readonly totals: Totals;
}

const VERSION = 1;

/** The bytes hold their own checksum: a number that a broken disk has changed is worse than none. */
export function encodeState(state: KeptState): Uint8Array {
  const { totals, ...rest } = state;
  const json = JSON.stringify({ version: VERSION, ...rest, series: [...totals.series.values()] });
  return Buffer.from(`${checksum(json)}${json}`);
}

/** @throws Error if these are not bytes of `encodeState`. */
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

/** Remembers which events of which keys have been counted: one bit for each event. */
export class CountedKeys {
  readonly #space: StorageSpace;
  readonly #prefix: string;

  /** @param prefix of the keys under which it is kept. */
  constructor(space: StorageSpace, prefix: string) {
    this.#space = space;
    this.#prefix = prefix;
  }

  /** Zero for a key of which nothing was counted. @throws StorageError */
  async eventsOf(keys: readonly string[]): Promise<(key: string) => number> {
    const found = await this.#space.get(keys.map((key) => this.#place(key)));
    return (key) => found.get(this.#place(key))?.[0] ?? 0;
  }

  /** What has to be written so that these are remembered. */
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
