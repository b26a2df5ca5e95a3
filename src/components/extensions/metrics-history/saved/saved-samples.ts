/** Keeps the samples of histories in a storage. */
import type { Logger } from 'pino';
import { describeError } from '../../../../engine/describe-error.ts';
import { Incident } from '../../../../engine/incident.ts';
import type { StorageSpace } from '../../../../engine/storage.ts';
import { decodeStored, encodeStored } from '../../../../engine/stored-value.ts';
import { inSlices } from '../../../../engine/time-slice.ts';
import type { History } from '../store/history.ts';
import type { Segment } from '../store/segment.ts';
import { keysOf, readSegment, writeSegment, type StoredSegment } from './stored-segments.ts';

/** Changes with the form of anything below, and with the coding of segments. */
const FORMAT = 1;
const INDEX = 'index';
const INTERVAL_MS = 60_000;

/** It is written last, and a segment that is not in it does not exist. */
interface Index {
  readonly format: number;
  /** No segment has this number or a higher one. */
  readonly next: number;
  /** The segments of each history, in the order of their time. */
  readonly segments: ReadonlyMap<string, readonly StoredSegment[]>;
}

export class SavedSamples {
  readonly #openSpace: () => Promise<StorageSpace>;
  readonly #histories: ReadonlyMap<string, History>;
  readonly #logger: Logger;
  readonly #failures: Incident;
  #index: Index = { format: FORMAT, next: 0, segments: new Map() };
  /** The segments of the index. Complete ones do not change, and are written once. */
  #stored = new Map<Segment, StoredSegment>();
  #saving: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    openSpace: () => Promise<StorageSpace>,
    { histories, logger }: { readonly histories: ReadonlyMap<string, History>; readonly logger: Logger },
  ) {
    this.#openSpace = openSpace;
    this.#histories = histories;
    this.#logger = logger;
    this.#failures = new Incident(logger, {
      failing: 'Samples cannot be saved: a restart would begin without the latest ones',
      recovered: 'Samples are saved again',
    });
  }

  /** Fills the histories, which are empty, and saves them from now on. */
  async start(): Promise<void> {
    try {
      const causes = await this.#restore();
      if (causes.length > 0) {
        const cause = describeError(causes[0]);
        this.#logger.warn({ parts: causes.length, cause }, 'Some samples from before the restart are left out');
      }
    } catch (error) {
      const cause = describeError(error);
      this.#logger.warn({ cause }, 'The samples from before the restart cannot be read: the history begins again');
      await this.#clear();
    }
    this.#timer = setInterval(() => void this.#save(), INTERVAL_MS).unref();
  }

  /** Saves what has been recorded since the last time. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#saving;
    await this.#save();
  }

  /** @returns why parts are left out. */
  async #restore(): Promise<readonly unknown[]> {
    const space = await this.#openSpace();
    const value = (await space.get([INDEX])).get(INDEX);
    if (value === undefined) return [];
    const index = decodeStored(value) as Index;
    if (index.format !== FORMAT) throw new Error(`its format is ${index.format}, and this version reads ${FORMAT}`);
    this.#index = index;
    const causes: unknown[] = [];
    for (const [name, history] of this.#histories) {
      causes.push(...(await this.#restoreHistory(space, history, index.segments.get(name) ?? [])));
      history.end();
    }
    return causes;
  }

  /** The newest first, as long as there is room. */
  async #restoreHistory(space: StorageSpace, history: History, all: readonly StoredSegment[]): Promise<unknown[]> {
    const nowMs = Date.now();
    const past = all.filter(({ toMs }) => toMs <= nowMs);
    const causes: unknown[] = all.length > past.length ? [new Error('the clock was set back to before them')] : [];
    for (const stored of past.filter(({ toMs }) => toMs >= nowMs - history.limits.retentionMs).toReversed()) {
      const read = await readSegment(space, stored);
      causes.push(...read.causes);
      if (read.pieces.length === 0) continue;
      const segment = await inSlices(history.restore(read.pieces));
      if (segment === undefined) break;
      if (read.causes.length === 0) this.#stored.set(segment, stored);
    }
    return causes;
  }

  /** Parts that nothing can find would stay forever. */
  async #clear(): Promise<void> {
    try {
      await (await this.#openSpace()).clear('');
    } catch {
      // The next attempt to save reports it.
    }
  }

  #save(): Promise<void> {
    this.#saving ??= this.#saveAll().finally(() => (this.#saving = undefined));
    return this.#saving;
  }

  async #saveAll(): Promise<void> {
    try {
      const space = await this.#openSpace();
      const segments = new Map<string, readonly StoredSegment[]>();
      const stored = new Map<Segment, StoredSegment>();
      let { next } = this.#index;
      for (const [name, history] of this.#histories) {
        const { segments: current, groups } = await history.content();
        for (const segment of current) {
          stored.set(segment, this.#stored.get(segment) ?? (await writeSegment(space, next++, { segment, groups })));
        }
        segments.set(
          name,
          current.map((segment) => stored.get(segment) as StoredSegment),
        );
      }
      await this.#replaceIndex(space, { format: FORMAT, next, segments });
      this.#stored = stored;
      this.#failures.succeeded();
    } catch (error) {
      this.#failures.failed(error);
    }
  }

  /** The pieces that the new index does not have go with the old one. */
  async #replaceIndex(space: StorageSpace, index: Index): Promise<void> {
    const kept = new Set(keysIn(index));
    const removed = keysIn(this.#index).filter((key) => !kept.has(key));
    const changes = new Map<string, Uint8Array | undefined>(removed.map((key) => [key, undefined]));
    await space.write(changes.set(INDEX, encodeStored(index)));
    this.#index = index;
  }
}

function keysIn({ segments }: Index): readonly string[] {
  return [...segments.values()].flat().flatMap(keysOf);
}
