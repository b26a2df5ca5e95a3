import { StorageError, type StorageSpace } from '../../../../engine/storage.ts';
import { PostgresError } from '../../../../postgres/postgres-error.ts';
import type { CounterQuery } from '../query.ts';
import { BatchSize } from './batch-size.ts';
import {
  before,
  isSame,
  reached,
  type CountedTable,
  type Head,
  type SettledRows,
  type TableSnapshot,
} from './counted-table.ts';
import { CountedKeys, decodeState, encodeState, type KeptState } from './kept-state.ts';
import type { RebaselineReason } from '../run/poller-metrics.ts';
import { occurrencesOf, type ReplacedLabel } from './occurrences.ts';
import { knownZeros, newBound, recentRows, rowsBetween, UnreadRows } from './recent-rows.ts';
import { Totals } from './totals.ts';

export interface CounterSettings {
  readonly query: CounterQuery;
  /** Identifies the query in the storage space. */
  readonly name: string;
  readonly table: CountedTable;
  readonly space: StorageSpace;
  readonly timeoutMs: number;
  /** The timeout for reading the whole table: for the baseline and the older rows. */
  readonly longTimeoutMs: number;
  /** The interval at which the older rows are read. */
  readonly reconcileMs: number;
  readonly onRebaseline: (reason: RebaselineReason) => void;
}

/** The result of one step, after it is stored. */
export interface Step {
  /** The rows that were read, counted or not. */
  readonly rows: number;
  /** The settled rows that are left for the next step. */
  readonly backlog: number;
  readonly replaced: readonly ReplacedLabel[];
  /** The number of values that are not numbers. */
  readonly notNumbers: number;
}

const OLDER_BATCHES = 10;
/** A step without counted rows need not store its position: the next step finds the same rows from an older one. */
const KEEP_POSITION_EVERY_MS = 60_000;
const nothing: Step = { rows: 0, backlog: 0, replaced: [], notNumbers: 0 };

/**
 * Counts each row of a table once. Totals, positions and counted keys are stored in one write; totals that are not stored
 * do not count. Call one method at a time.
 *
 * | state      | meaning                                                  | leaves it when                                  |
 * |------------|----------------------------------------------------------|-------------------------------------------------|
 * | unloaded   | `#state` and `#lost` are undefined                       | `begin` loads the storage: → counting, lost,    |
 * |            |                                                          | or, if nothing is stored, starts the baseline   |
 * | lost       | `#lost`: the stored state is unusable (`changed`,        | the baseline is stored: → counting              |
 * |            | `corrupt`), or the table is no longer the one that was   |                                                 |
 * |            | counted (`identity`, `horizon`, `rewritten`)             |                                                 |
 * | counting   | `#state`: all recent rows before `position` and all      | `#whyStartAgain` finds a reason, or the storage loses |
 * |            | older rows before `olderPosition` are counted            | its content: → lost                             |
 * | rewriting  | counting, and `#rewrittenBelow` is set: steps do nothing | the rewrite is settled: → lost (`rewritten`)    |
 *
 * The baseline deletes what is stored, remembers the keys that exist, and starts at 0 from the settled transactions. If it
 * fails, the next call starts it again for the same reason.
 */
export class Counter {
  readonly #settings: CounterSettings;
  readonly #keys: CountedKeys;
  readonly #place: string;
  readonly #recent: BatchSize;
  readonly #older: BatchSize;
  #state: KeptState | undefined;
  #keptAtMs = -Infinity;
  /** Why the stored state cannot be used. Undefined: nothing was stored. */
  #lost: RebaselineReason | undefined;
  #head: Head | undefined;
  /** The rewritten rows carry transaction numbers below this one. */
  #rewrittenBelow: number | undefined;
  readonly #unread = new UnreadRows();

  constructor(settings: CounterSettings) {
    this.#settings = settings;
    this.#keys = new CountedKeys(settings.space, `keys/${settings.name}/`);
    this.#place = `state/${settings.name}`;
    const { batchRows: maxRows } = settings.query;
    this.#recent = new BatchSize({ maxRows, timeoutMs: settings.timeoutMs });
    this.#older = new BatchSize({ maxRows: maxRows * OLDER_BATCHES, timeoutMs: settings.longTimeoutMs });
  }

  /** The stored state; undefined before the baseline. */
  get state(): KeptState | undefined {
    return this.#state;
  }

  /**
   * Continues from the stored state, or starts counting now: existing rows are not counted, later ones are.
   *
   * @throws PostgresError or StorageError
   */
  async begin(): Promise<void> {
    if (this.#state) return;
    await this.#load();
    const { table, timeoutMs } = this.#settings;
    const kept = this.#state;
    const reason = kept ? await table.read(timeoutMs, async (now) => await this.#whyStartAgain(kept, now)) : this.#lost;
    if (reason === 'not yet') return;
    if (reason !== undefined || !kept) await this.#startAgain(reason);
  }

  /** Counts a batch of recent rows. @throws PostgresError or StorageError */
  async countRecent(): Promise<Step> {
    await this.begin();
    const { query } = this.#settings;
    return await this.#step(this.#recent, async (state, snapshot) => {
      const found = await recentRows(query, snapshot, state, this.#recent.rows);
      const totals = state.totals.withZeros(await knownZeros(query, snapshot));
      return { found, next: { ...state, position: reached(found, before(snapshot.head.settledXid)), totals } };
    });
  }

  /** True if rows older than the bound may exist, and the time to look for them has come. */
  get isReconcileDue(): boolean {
    const { bound } = this.#settings.query;
    if (!bound || !this.#head || !this.#state) return false;
    const sinceMs = this.#head.nowUnixMs - bound.marginMs - this.#state.boundUnixMs;
    return sinceMs >= this.#settings.reconcileMs && this.#unread.mayExist;
  }

  /** Counts a large batch of older rows, and moves the bound when none is left. @throws PostgresError or StorageError */
  async countOlder(): Promise<Step> {
    await this.begin();
    const { query } = this.#settings;
    const step = this.#step(this.#older, async (state, snapshot) => {
      const { olderPosition: after, position: upTo } = state;
      const found = await rowsBetween(snapshot, {
        lane: 'older',
        boundUnixMs: state.boundUnixMs,
        after,
        upTo,
        limit: this.#older.rows,
      });
      const olderPosition = reached(found, upTo);
      const boundUnixMs = found.isFull ? state.boundUnixMs : newBound(query, snapshot.head);
      return { found, next: { ...state, olderPosition, boundUnixMs } };
    });
    return await readingWholeTable(step);
  }

  /** Inserted minus counted rows since counting started; undefined if they cannot be compared. */
  get uncounted(): number | undefined {
    const inserted = this.#head?.statistics?.inserted;
    const { insertedAtStart, rowsCounted } = this.#state ?? {};
    if (inserted === undefined || insertedAtStart === undefined || rowsCounted === undefined) return undefined;
    return inserted - insertedAtStart - rowsCounted;
  }

  async #load(): Promise<void> {
    const { query, space } = this.#settings;
    const bytes = await this.#keeping(async () => (await space.get([this.#place])).get(this.#place));
    if (!bytes) return;
    try {
      const kept = decodeState(bytes);
      if (kept.meaning === query.meaning) this.#state = kept;
      else this.#lost = 'changed';
    } catch {
      this.#lost = 'corrupt';
    }
  }

  async #startAgain(reason: RebaselineReason | undefined): Promise<void> {
    const { query, table, longTimeoutMs, onRebaseline } = this.#settings;
    this.#state = undefined;
    this.#lost = reason;
    this.#rewrittenBelow = undefined;
    const startUnixMs = Date.now();
    await this.#keeping(async () => {
      await this.#settings.space.write(new Map([[this.#place, undefined]]));
      await this.#keys.forgetAll();
    });
    const baseline = table.read(longTimeoutMs, async (snapshot) => {
      if (query.events) for await (const rows of snapshot.everyRow()) await this.#remember(rows);
      await snapshot.endedForGood('waits');
      return snapshot;
    });
    const { head } = await readingWholeTable(baseline);
    const position = before(head.settledXid);
    await this.#keep({
      meaning: query.meaning,
      identity: head.identity,
      startUnixMs,
      position,
      olderPosition: position,
      boundUnixMs: newBound(query, head),
      insertedAtStart: head.statistics?.inserted,
      rowsCounted: 0,
      totals: Totals.none,
    });
    this.#lost = undefined;
    if (reason !== undefined) onRebaseline(reason);
  }

  async #remember(rows: readonly { readonly key: string; readonly events: number }[]): Promise<void> {
    const changes = this.#keys.changes(rows.map(({ key, events }) => [key, events]));
    await this.#keeping(async () => await this.#settings.space.write(changes));
  }

  /** Reads rows from the table, counts them and stores the result. Starts again at 0 if the stored state does not fit the table. */
  async #step(
    batch: BatchSize,
    look: (state: KeptState, snapshot: TableSnapshot) => Promise<{ found: SettledRows; next: KeptState }>,
  ): Promise<Step> {
    const state = this.#state!;
    const reading = this.#settings.table.read(batch.timeoutMs, async (snapshot) => {
      const reason = await this.#whyStartAgain(state, snapshot);
      if (reason !== undefined) return reason;
      this.#head = snapshot.head;
      this.#unread.saw(snapshot.head);
      const { found, next } = await look(state, snapshot);
      const { position } = (await this.#mayMove(state, { found, next, snapshot })) ? next : state;
      return { found, next: { ...next, position, identity: snapshot.head.identity } };
    });
    const seen = await batch.learnFrom(reading);
    if (seen === 'not yet') return nothing;
    if (typeof seen === 'string') {
      await this.#startAgain(seen);
      return nothing;
    }
    const step = await this.#take(seen.found, seen.next);
    if (seen.next.boundUnixMs !== state.boundUnixMs) this.#unread.readUpTo(state.position);
    return step;
  }

  /** Without rows it does not wait for the disk: from the old position, the next step finds the same rows. */
  async #mayMove(
    state: KeptState,
    { found, next, snapshot }: { found: SettledRows; next: KeptState; snapshot: TableSnapshot },
  ): Promise<boolean> {
    if (isSame(next.position, state.position)) return false;
    const isWorthWaiting = found.rows.length > 0 || this.isReconcileDue || this.#isKeepingDue;
    return await snapshot.endedForGood(isWorthWaiting ? 'waits' : 'does not wait');
  }

  async #take(found: SettledRows, state: KeptState): Promise<Step> {
    const { query } = this.#settings;
    const keys = query.events ? found.rows.map(({ key }) => key) : [];
    const eventsOf = await this.#keeping(async () => await this.#keys.eventsOf(keys));
    const { occurrences, seen, rowsCounted, notNumbers } = occurrencesOf(query, found.rows, eventsOf);
    const replaced: ReplacedLabel[] = [];
    const totals = state.totals.with(occurrences, (label, reason, count) => replaced.push({ label, reason, count }));
    await this.#keep({ ...state, totals, rowsCounted: state.rowsCounted + rowsCounted }, this.#keys.changes(seen));
    return { rows: found.rows.length, backlog: found.waiting - found.rows.length, replaced, notNumbers };
  }

  async #keep(state: KeptState, keys: ReadonlyMap<string, Uint8Array> = new Map()): Promise<void> {
    if (this.#isWorthKeeping(state)) {
      const changes = new Map([...keys, [this.#place, encodeState(state)] as const]);
      await this.#keeping(async () => await this.#settings.space.write(changes));
      this.#keptAtMs = performance.now();
    }
    this.#state = state;
  }

  #isWorthKeeping(next: KeptState): boolean {
    const state = this.#state;
    return (
      state?.totals !== next.totals ||
      state.boundUnixMs !== next.boundUnixMs ||
      !isSame(state.olderPosition, next.olderPosition) ||
      next.position.key !== undefined ||
      this.#isKeepingDue
    );
  }

  get #isKeepingDue(): boolean {
    return performance.now() - this.#keptAtMs >= KEEP_POSITION_EVERY_MS;
  }

  /** A corrupt storage has lost its content, so the counter forgets it too. */
  async #keeping<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof StorageError && error.reason === 'corrupt') {
        this.#state = undefined;
        this.#lost = 'corrupt';
      }
      throw error;
    }
  }

  async #whyStartAgain(state: KeptState, snapshot: TableSnapshot): Promise<RebaselineReason | 'not yet' | undefined> {
    const { identity, settledXid, nextXid } = snapshot.head;
    if (identity.history !== state.identity.history) return 'identity';
    if (settledXid < state.position.xid) return 'horizon';
    if (identity.file === state.identity.file) return undefined;
    if (this.#rewrittenBelow === undefined) {
      if (!(await snapshot.isRewritten(state.position))) return undefined;
      this.#rewrittenBelow = nextXid;
    }
    // From a position below the rewritten rows, all of them would be counted as new.
    return settledXid < this.#rewrittenBelow ? 'not yet' : 'rewritten';
  }
}

/**
 * Adds a hint to timeouts: a smaller batch would not help, because the whole table is read either way.
 *
 * @throws what the reading throws
 */
export async function readingWholeTable<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof PostgresError) || error.reason !== 'timeout' || error.repair !== undefined) throw error;
    throw new PostgresError('timeout', 'reading the whole table took too long', {
      cause: error,
      repair: 'Give it more time with reconcile_timeout',
    });
  }
}
