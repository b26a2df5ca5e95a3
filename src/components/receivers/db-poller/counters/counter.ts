import type { Logger } from 'pino';
import { StorageError, type StorageSpace } from '../../../../engine/storage.ts';
import { PostgresError } from '../../../../postgres/postgres-error.ts';
import type { CounterQuery } from '../query.ts';
import { Baseline, type Begun } from './baseline.ts';
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
import { CountedKeys } from './counted-keys.ts';
import { hashOfKey, type KeyHash } from './key-hash.ts';
import { decodeState, encodeState, type KeptState } from './kept-state.ts';
import type { RebaselineReason } from '../run/poller-metrics.ts';
import { continuity } from './continuity.ts';
import { firstTotals } from './first-totals.ts';
import { noneDropped, occurrencesOf, refuseHidden, type DroppedValues, type ReplacedLabel } from './occurrences.ts';
import {
  canBeLater,
  knownZeros,
  lateMs,
  newBound,
  noRows,
  reconciled,
  recentRows,
  rowsBetween,
  UnreadRows,
  withLaterBound,
} from './recent-rows.ts';
import { SweepBacklog } from './sweep-backlog.ts';
import { SweepPace } from './sweep-pace.ts';
import { MAX_SWEPT } from './settled-rows.ts';
import { advanced, attachedParts, attachedSweep, isDisturbed, swept, sweepSize, withoutAttached } from './sweep.ts';
import { readingWholeTable } from './whole-table.ts';

export interface CounterSettings {
  readonly query: CounterQuery;
  /** Identifies the query in the storage space. */
  readonly name: string;
  readonly table: CountedTable;
  readonly space: StorageSpace;
  /** The largest number of keys that are remembered. With more, nothing is counted. */
  readonly maxKeys: number;
  readonly timeoutMs: number;
  /** The timeout for reading the whole table: for the baseline and the older rows. */
  readonly longTimeoutMs: number;
  /** The interval at which the older rows are read. */
  readonly reconcileMs: number;
  readonly logger: Logger;
  readonly onRebaseline: (reason: RebaselineReason) => void;
}

/** Changes that are stored together with the state. */
interface Kept {
  readonly events?: ReadonlyMap<KeyHash, number>;
  readonly others?: ReadonlyMap<string, undefined>;
}

/** The result of one step, after it is stored. */
export interface Step {
  /** The rows that were read, counted or not. */
  readonly rows: number;
  /** The settled rows that are left for the next step. Undefined: their number is unknown. */
  readonly backlog: number | undefined;
  /** True if nothing can be counted now: a standby is behind, the log is not on disk, or a rewrite is not settled. */
  readonly isWaiting: boolean;
  readonly replaced: readonly ReplacedLabel[];
  readonly dropped: DroppedValues;
}

const OLDER_BATCHES = 10;
/** Rows of a batch that may grow. The size of a batch of blocks does not limit its rows. */
const MOST_GROWING = MAX_SWEPT / 2;
/** A step without counted rows need not store its position: the next step finds the same rows from an older one. */
const KEEP_POSITION_EVERY_MS = 60_000;
const waiting: Step = { rows: 0, backlog: undefined, isWaiting: true, replaced: [], dropped: noneDropped };
const nothing: Step = { ...waiting, backlog: 0, isWaiting: false };

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
 * |            | older rows before `olderPosition` are counted, except    | its content: → lost                             |
 * |            | those that `sweep` has left                              |                                                 |
 * | rewriting  | counting without keys, and `#rewrittenBelow` is set: steps do nothing | the rewrite is settled: → lost (`rewritten`)    |
 *
 * The baseline deletes what is stored, remembers the keys that exist, and starts at 0 from the settled transactions. If it
 * fails, the next call continues it.
 */
export class Counter {
  readonly #settings: CounterSettings;
  readonly #keys: CountedKeys;
  readonly #place: string;
  readonly #recent: BatchSize;
  readonly #older: BatchSize;
  readonly #swept: BatchSize;
  readonly #baseline: Baseline;
  readonly #pace: SweepPace;
  #left: SweepBacklog;
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
    this.#swept = sweepSize(settings.timeoutMs);
    this.#pace = new SweepPace({ hasKeys: settings.query.events !== undefined });
    this.#left = new SweepBacklog(settings.timeoutMs);
    const { query, ...given } = settings;
    this.#baseline = new Baseline({
      ...given,
      meaning: query.meaning,
      place: this.#baselinePlace,
      keys: this.#keys,
      refuseBeyond: (keys) => this.#refuseBeyond(keys),
    });
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

  /**
   * Counts a batch of recent rows. If even a batch of one row is not read in time, a sweep counts them.
   *
   * @throws PostgresError or StorageError
   */
  async countRecent(): Promise<Step> {
    await this.begin();
    if (this.isSweeping && this.#recent.isSmallest) return { ...nothing, backlog: undefined };
    try {
      const step = await this.#step(
        this.#recent,
        async (state, snapshot) => await this.#lookForRecent(state, snapshot),
      );
      this.#pace.readRecent(step.rows);
      return step;
    } catch (error) {
      const isTimeout = error instanceof PostgresError && error.reason === 'timeout';
      if (!isTimeout || !this.#recent.isSmallest || this.isSweeping || !this.#state) throw error;
      await this.#step(this.#swept, async (state, snapshot) => await this.#sweepRecent(state, snapshot));
      throw error;
    }
  }

  async #lookForRecent(kept: KeptState, snapshot: TableSnapshot): Promise<{ found: SettledRows; next: KeptState }> {
    const { query } = this.#settings;
    const state = this.#pace.mayMoveBound ? withLaterBound(query, kept, snapshot.head) : kept;
    const startedAt = performance.now();
    const found = await recentRows(query, snapshot, state, this.#recent.rows);
    const isSlow = this.#pace.isTooSlow(performance.now() - startedAt);
    const totals = state.totals.withZeros(await knownZeros(query, snapshot, state.totals));
    if (found.isTooMany) {
      this.#pace.burst(lateMs(query));
      return await this.#sweepRecent({ ...state, totals }, snapshot);
    }
    const next = { ...state, position: reached(found, before(snapshot.head.settledXid)), totals };
    const isWorthSweeping = isSlow && !found.isFull && canBeLater(query, state, snapshot.head);
    return { found, next: isWorthSweeping ? await swept(query, next, snapshot) : next };
  }

  async #sweepRecent(state: KeptState, snapshot: TableSnapshot): Promise<{ found: SettledRows; next: KeptState }> {
    return { found: noRows, next: await swept(this.#settings.query, state, snapshot) };
  }

  /** True while rows are counted by ranges of blocks. */
  get isSweeping(): boolean {
    return this.#state?.sweep !== undefined;
  }

  /** False while a sweep runs and the recent rows were read a moment ago, which took long. */
  get isRecentDue(): boolean {
    return !this.isSweeping || this.#pace.mayReadRecent;
  }

  /** The number of rows that the sweep has left. Undefined: unknown. */
  get leftToSweep(): number | undefined {
    if (!this.isSweeping) return 0;
    return this.#left.isComplete ? this.#left.rows : undefined;
  }

  /** Counts the rows of the next range of blocks. The first ranges are for `leftToSweep`. @throws PostgresError or StorageError */
  async countSwept(): Promise<Step> {
    await this.begin();
    const { sweep } = this.#state!;
    if (sweep && !this.#left.isComplete) {
      await this.#left.countNext(this.#settings.table, sweep);
      return { ...nothing, backlog: undefined };
    }
    const step = await this.#step(this.#swept, async (state, snapshot) => await this.#readSwept(state, snapshot));
    this.#left.swept(step.rows);
    if (!this.isSweeping) this.#left = new SweepBacklog(this.#settings.timeoutMs);
    return step;
  }

  async #readSwept(state: KeptState, snapshot: TableSnapshot): Promise<{ found: SettledRows; next: KeptState }> {
    if (!state.sweep) return { found: noRows, next: state };
    const blocks = Math.min(this.#swept.rows, state.sweep.endBlock - state.sweep.block);
    const { identity } = snapshot.head;
    if (isDisturbed(state.sweep, identity)) {
      this.#left = new SweepBacklog(this.#settings.timeoutMs);
      const sweep = { ...state.sweep, block: 0, endBlock: await snapshot.blocks(), files: identity.parts };
      return { found: noRows, next: { ...state, sweep } };
    }
    const startedAt = performance.now();
    const { rows, isTooMany } = await snapshot.swept(state.sweep, blocks);
    if (isTooMany) this.#swept.shrink();
    const sweep = isTooMany ? state.sweep : advanced(state.sweep, blocks);
    this.#pace.swept(performance.now() - startedAt, sweep === undefined);
    return { found: { ...noRows, rows, waiting: rows.length }, next: { ...state, sweep } };
  }

  /** True if rows older than the bound may exist, and the time to look for them has come. */
  get isReconcileDue(): boolean {
    const { bound } = this.#settings.query;
    if (!bound || !this.#head || !this.#state) return false;
    const sinceMs = this.#head.nowUnixMs - this.#state.reconciledUnixMs;
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
      if (found.isTooMany) return await this.#sweepRecent(state, snapshot);
      const next = { ...state, olderPosition: reached(found, upTo) };
      return { found, next: found.isFull ? next : reconciled(query, next, snapshot.head) };
    });
    return await readingWholeTable(step);
  }

  /** True if all writes in the statistics are by transactions whose rows have been read, old ones as well. */
  get hasReadAll(): boolean {
    return !this.#unread.mayExist;
  }

  /** The inserts in PostgreSQL's statistics; undefined if they do not include those of the table. */
  get inserted(): number | undefined {
    return this.#head?.statistics?.inserted;
  }

  /** Inserted minus counted rows since counting started; undefined if they cannot be compared, or not every row counts. */
  get uncounted(): number | undefined {
    const { events, everyRow, filter } = this.#settings.query;
    if (filter !== undefined || (events && everyRow === undefined)) return undefined;
    const { inserted } = this;
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
      if (kept?.meaning === query.meaning) this.#state = kept;
      else this.#lost = 'changed';
    } catch {
      this.#lost = 'corrupt';
    }
  }

  async #startAgain(reason: RebaselineReason | undefined): Promise<void> {
    const { query, table, timeoutMs, onRebaseline } = this.#settings;
    this.#state = undefined;
    this.#lost = reason;
    this.#rewrittenBelow = undefined;
    this.#left = new SweepBacklog(timeoutMs);
    const begun = await this.#keeping(async () => {
      await this.#forgetState();
      return query.events ? await this.#baseline.run(reason) : await this.#withoutKeys(reason);
    });
    const { head, keys, startUnixMs } = begun;
    const totals = await firstTotals(query, table, timeoutMs);
    const position = before(head.settledXid);
    const state = {
      meaning: query.meaning,
      identity: head.identity,
      startUnixMs,
      position,
      olderPosition: position,
      sweep: undefined,
      boundUnixMs: newBound(query, head),
      reconciledUnixMs: head.nowUnixMs,
      insertedAtStart: head.statistics?.inserted,
      rowsCounted: 0,
      keys,
      totals,
    };
    await this.#keep(state, { others: new Map([[this.#baselinePlace, undefined]]) });
    this.#lost = undefined;
    if (begun.reason !== undefined) onRebaseline(begun.reason);
  }

  /** A stored state ends, and with it what is left of the baseline before it. Without one, a baseline continues. */
  async #forgetState(): Promise<void> {
    const { space } = this.#settings;
    if (!(await space.get([this.#place])).has(this.#place)) return;
    await space.write(new Map([[this.#place, undefined], [this.#baselinePlace, undefined]])); // prettier-ignore
  }

  async #withoutKeys(reason: RebaselineReason | undefined): Promise<Begun> {
    await this.#keys.forgetAll();
    const startUnixMs = Date.now();
    return await this.#settings.table.read(this.#settings.timeoutMs, async (snapshot) => {
      await snapshot.endedForGood('waits as long as needed');
      return { head: snapshot.head, startUnixMs, keys: 0, reason };
    });
  }

  get #baselinePlace(): string {
    return `baseline/${this.#settings.name}`;
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
      const { identity, ...known } = await this.#withAttached(state, snapshot);
      const { found, next } = await look({ ...known, identity }, snapshot);
      const moves = await this.#moves(state, { found, next, snapshot });
      if (moves === 'later') return 'not yet';
      const { position } = moves ? next : state;
      return { found, next: { ...next, position, identity } };
    });
    const seen = await batch.learnFrom(reading, (found) => typeof found === 'string' || found.found.rows.length <= MOST_GROWING); // prettier-ignore
    if (seen === 'not yet') return waiting;
    if (typeof seen === 'string') {
      await this.#startAgain(seen);
      return nothing;
    }
    const step = await this.#take(seen.found, seen.next);
    if (seen.next.boundUnixMs !== state.boundUnixMs) this.#unread.readUpTo(seen.next.olderPosition);
    if (isSame(seen.next.olderPosition, seen.next.position)) this.#pace.readAll();
    return step;
  }

  /**
   * The state with the identity of this snapshot. With keys, rows of attached tables from before the position are swept;
   * only one sweep at a time.
   */
  async #withAttached(state: KeptState, snapshot: TableSnapshot): Promise<KeptState> {
    const { identity } = snapshot.head;
    const parts = this.#settings.query.events ? attachedParts(state.identity, identity) : [];
    if (parts.length === 0) return { ...state, identity };
    if (state.sweep || state.position.key !== undefined)
      return { ...state, identity: withoutAttached(state.identity, identity) };
    return { ...state, identity, sweep: await attachedSweep(state, snapshot, parts) };
  }

  /**
   * True if the position may move. Without rows it does not wait for the disk: from the old position, the next step finds the
   * same rows. Rows are counted later if what they belong to could still be lost.
   */
  async #moves(
    state: KeptState,
    { found, next, snapshot }: { found: SettledRows; next: KeptState; snapshot: TableSnapshot },
  ): Promise<boolean | 'later'> {
    if (isSame(next.position, state.position)) return false;
    const isWorthWaiting =
      found.rows.length > 0 || next.sweep !== state.sweep || this.isReconcileDue || this.#isKeepingDue;
    if (!isWorthWaiting) return await snapshot.endedForGood('does not wait');
    return (await snapshot.endedForGood('waits')) || 'later';
  }

  async #take(found: SettledRows, state: KeptState): Promise<Step> {
    refuseHidden(found.rows);
    const { query } = this.#settings;
    const rows = query.events ? found.rows.map((row) => ({ ...row, key: hashOfKey(row.key) })) : found.rows;
    const keys = query.events ? rows.map(({ key }) => key) : [];
    const known = await this.#keeping(async () => await this.#keys.eventsOf(keys));
    const { occurrences, seen, rowsCounted, dropped } = occurrencesOf(query, rows, (key) => known.get(key) ?? 0);
    const newKeys = [...seen.keys()].filter((key) => !known.has(key)).length;
    const remembered = state.keys + newKeys;
    if (newKeys > 0) this.#refuseBeyond(remembered);
    const replaced: ReplacedLabel[] = [];
    const totals = state.totals.with(occurrences, (label, reason, count) => replaced.push({ label, reason, count }));
    await this.#keep(
      { ...state, totals, keys: remembered, rowsCounted: state.rowsCounted + rowsCounted },
      { events: seen },
    );
    const backlog = found.waiting - found.rows.length;
    return { rows: found.rows.length, backlog, isWaiting: false, replaced, dropped };
  }

  /** @throws PostgresError */
  #refuseBeyond(keys: number): void {
    const { maxKeys } = this.#settings;
    if (keys <= maxKeys) return;
    throw new PostgresError('too_many_keys', `more than ${maxKeys} keys would be remembered`, {
      repair: 'Raise max_keys, set storage to keep them on disk, or set append_only if rows are only inserted',
    });
  }

  async #keep(state: KeptState, { events = new Map(), others = new Map() }: Kept = {}): Promise<void> {
    if (this.#isWorthKeeping(state)) {
      const changes = new Map([...others, [this.#place, encodeState(state)] as const]);
      await this.#keeping(async () => await this.#keys.store(events, state.keys, changes));
      this.#keptAtMs = performance.now();
    }
    this.#state = state;
  }

  #isWorthKeeping(next: KeptState): boolean {
    const state = this.#state;
    return (
      state?.totals !== next.totals ||
      state.sweep !== next.sweep ||
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
    const verdict = await continuity(this.#settings.query, state, snapshot);
    if (verdict !== 'new file') return verdict;
    const { settledXid, nextXid } = snapshot.head;
    if (this.#rewrittenBelow === undefined) {
      if (!(await snapshot.isRewritten(state.position))) return undefined;
      this.#rewrittenBelow = nextXid;
    }
    // From a position below the rewritten rows, all of them would be counted as new.
    return settledXid < this.#rewrittenBelow ? 'not yet' : 'rewritten';
  }
}
