import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import type { Logger } from 'pino';
import type { StorageSpace } from '../../../../engine/storage.ts';
import type { RebaselineReason } from '../run/poller-metrics.ts';
import { BatchSize } from './batch-size.ts';
import type { CountedKeys } from './counted-keys.ts';
import type { CountedTable, Head, KeyedRow, TableIdentity, TableSnapshot } from './counted-table.ts';
import { hashOfKey, type KeyHash } from './key-hash.ts';
import { readingWholeTable } from './whole-table.ts';

export interface BaselineSettings {
  /** See `CounterQuery.meaning`. */
  readonly meaning: string;
  readonly table: CountedTable;
  readonly space: StorageSpace;
  /** The place of the progress in the storage. */
  readonly place: string;
  readonly keys: CountedKeys;
  readonly timeoutMs: number;
  /** The timeout for a step, because a single block may need more than `timeoutMs`, and for the last reading. */
  readonly longTimeoutMs: number;
  readonly logger: Logger;
  /** @throws PostgresError if these are too many keys. */
  readonly refuseBeyond: (keys: number) => void;
}

/** The table when counting starts: its rows are remembered, and later ones count. */
export interface Begun {
  readonly head: Head;
  /** The time by siphon's clock. */
  readonly startUnixMs: number;
  /** The number of remembered keys. */
  readonly keys: number;
  readonly reason: RebaselineReason | undefined;
}

/** Blocks of a step, as many as are read and stored in about a fifth of a second. */
const STEP = { maxRows: 100_000, firstRows: 64, quickMs: 200 };
/** Keys that are stored with one write. */
const KEYS_OF_A_WRITE = 20_000;
const REPORT_EVERY_MS = 10_000;

/**
 * Remembers the keys of the rows that exist when counting starts, in steps that survive a timeout and a restart.
 *
 * Each step reads a range of blocks in a transaction of its own, and stores its keys with its progress. Meanwhile rows
 * are written, and an update moves a row to a block that was read before. So the last reading finds all rows that were
 * written since the first step, in one snapshot, which needs no sorting and returns few rows. This snapshot is the moment
 * when counting starts: every row in it was found by a step, or was written since.
 */
export class Baseline {
  readonly #settings: BaselineSettings;
  readonly #size;
  #reportedMs = performance.now();

  constructor(settings: BaselineSettings) {
    this.#settings = settings;
    this.#size = new BatchSize({ ...STEP, timeoutMs: settings.longTimeoutMs });
  }

  /**
   * Continues with what a baseline before has stored, or starts.
   *
   * @param reason why what was counted before cannot be used; undefined: nothing was.
   * @throws PostgresError or StorageError; the next call continues.
   */
  async run(reason: RebaselineReason | undefined): Promise<Begun> {
    let progress = (await this.#stored()) ?? (await this.#start(reason));
    for (;;) {
      const next = progress.block < progress.endBlock ? await this.#step(progress) : await this.#finish(progress);
      if (next !== undefined && 'head' in next) return next;
      progress = next ?? (await this.#start(progress.reason));
    }
  }

  async #stored(): Promise<Progress | undefined> {
    const { space, place, meaning } = this.#settings;
    const bytes = (await space.get([place])).get(place);
    if (bytes === undefined) return undefined;
    const found = v.safeParse(progressSchema, parsed(bytes));
    return found.success && found.output.meaning === meaning ? (found.output as Progress) : undefined;
  }

  async #start(reason: RebaselineReason | undefined): Promise<Progress> {
    const { table, keys, space, place, meaning, timeoutMs } = this.#settings;
    await space.write(new Map([[place, undefined]]));
    await keys.forgetAll();
    const progress = await table.read(timeoutMs, async (snapshot) => {
      const { identity, settledXid: sinceXid } = snapshot.head;
      return { meaning, identity, sinceXid, reason, block: 0, endBlock: await snapshot.blocks(), keys: 0 };
    });
    await this.#store(progress);
    return progress;
  }

  /** Undefined: the table is not the one that the baseline began with. */
  async #step(progress: Progress): Promise<Progress | undefined> {
    const { table, longTimeoutMs } = this.#settings;
    const end = Math.min(progress.endBlock, progress.block + this.#size.rows);
    const reading = table.read(longTimeoutMs, async (snapshot) => {
      if (!isSameTable(snapshot, progress)) return undefined;
      return await this.#remember(
        snapshot.everyRow({ from: progress.block, end }),
        progress.keys,
        (events) => events.size,
      );
    });
    const keys = await readingWholeTable(this.#size.learnFrom(reading));
    if (keys === undefined) return undefined;
    const next = { ...progress, block: end, keys };
    await this.#store(next);
    this.#report(next);
    return next;
  }

  /** Reads what was written since the baseline began. Undefined: see `#step`. */
  async #finish(progress: Progress): Promise<Begun | undefined> {
    const { table, longTimeoutMs } = this.#settings;
    const startUnixMs = Date.now();
    const reading = table.read(longTimeoutMs, async (snapshot) => {
      if (!isSameTable(snapshot, progress)) return undefined;
      const isNew = async (events: Events): Promise<number> => events.size - (await this.#settings.keys.eventsOf([...events.keys()])).size; // prettier-ignore
      const keys = await this.#remember(snapshot.everyRow({ sinceXid: progress.sinceXid }), progress.keys, isNew);
      await snapshot.endedForGood('waits as long as needed');
      return { keys, startUnixMs, head: snapshot.head, reason: progress.reason };
    });
    return await readingWholeTable(reading);
  }

  /**
   * Stores the keys. Resolves to the number of all keys.
   *
   * @param added the number of those that were not stored before.
   */
  async #remember(
    chunks: AsyncIterable<readonly KeyedRow[]>,
    before: number,
    added: (events: Events) => number | Promise<number>,
  ): Promise<number> {
    let total = before;
    let events = new Map<KeyHash, number>();
    const write = async (): Promise<void> => {
      total += await added(events);
      this.#settings.refuseBeyond(total);
      await this.#settings.keys.store(events, total);
      events = new Map();
    };
    for await (const rows of chunks) {
      for (const { key, events: holding } of rows) {
        const hash = hashOfKey(key);
        events.set(hash, (events.get(hash) ?? 0) | holding);
      }
      if (events.size >= KEYS_OF_A_WRITE) await write();
    }
    await write();
    return total;
  }

  async #store(progress: Progress): Promise<void> {
    const { space, place } = this.#settings;
    await space.write(new Map([[place, Buffer.from(JSON.stringify(progress))]]));
  }

  #report({ block, endBlock, keys }: Progress): void {
    if (performance.now() - this.#reportedMs < REPORT_EVERY_MS) return;
    this.#reportedMs = performance.now();
    const percent = Math.floor((100 * block) / endBlock);
    this.#settings.logger.info({ percent, keys }, 'Existing rows are being remembered, before counting starts');
  }
}

type Events = ReadonlyMap<KeyHash, number>;

interface Progress {
  readonly meaning: string;
  readonly identity: TableIdentity;
  /** All transactions before it had ended when the baseline began. */
  readonly sinceXid: number;
  readonly reason?: RebaselineReason | undefined;
  /** The keys in all blocks before this one are stored. */
  readonly block: number;
  readonly endBlock: number;
  readonly keys: number;
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const progressSchema = v.object({
  meaning: v.string(),
  identity: v.object({
    history: v.string(),
    file: v.string(),
    key: v.string(),
    parts: v.record(v.string(), v.string()),
  }),
  sinceXid: count,
  reason: v.optional(v.string()),
  block: count,
  endBlock: count,
  keys: count,
});

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}

/** Rows of other files, or of another history, are in other blocks, and have other numbers. */
function isSameTable({ head }: TableSnapshot, { identity, sinceXid }: Progress): boolean {
  return head.settledXid >= sinceXid && isDeepStrictEqual(head.identity, identity);
}
