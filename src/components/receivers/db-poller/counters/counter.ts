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
  /** Tells what is kept of this query from what is kept of others in the same space. */
  readonly name: string;
  readonly table: CountedTable;
  readonly space: StorageSpace;
  readonly timeoutMs: number;
  /** For what reads the whole table: a baseline, and the older rows. */
  readonly longTimeoutMs: number;
  /** How often the older rows are read. */
  readonly reconcileMs: number;
  readonly onRebaseline: (reason: RebaselineReason) => void;
}

/** What one step has counted and kept. */
export interface Step {
  /** Rows that were looked at, whether they counted or not. */
  readonly rows: number;
  /** Settled rows that are left for the next step. */
  readonly backlog: number;
  readonly replaced: readonly ReplacedLabel[];
  /** Values that were no number. */
  readonly notNumbers: number;
}

const OLDER_BATCHES = 10;
/** Where nothing was counted, the position need not be moved and kept each time: from an older one the same is found. */
const KEEP_POSITION_EVERY_MS = 60_000;
const nothing: Step = { rows: 0, backlog: 0, replaced: [], notNumbers: 0 };

/**
 * Counts each row of a table once, and keeps what it has counted, how far it has come and which keys it has seen in
 * one write. Totals that were not kept do not exist. One method at a time.
 */
export class Counter {
  readonly #settings: CounterSettings;
  readonly #keys: CountedKeys;
  readonly #place: string;
  readonly #recent: BatchSize;
  readonly #older: BatchSize;
  #state: KeptState | undefined;
  #keptAtMs = -Infinity;
  /** Why there is nothing to go on from; undefined if nothing was ever kept. */
  #lost: RebaselineReason | undefined;
  #head: Head | undefined;
  /** Rows that a rewrite gave its own number come before this one. */
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

  /** What was counted and kept; undefined before the baseline. */
  get state(): KeptState | undefined {
    return this.#state;
  }

  /**
   * Goes on from where counting stopped, or begins it now: rows of now are not counted, rows to come are.
   *
   * @throws PostgresError or StorageError
   */
  async begin(): Promise<void> {
    if (this.#state) return;
    await this.#load();
    const { table, timeoutMs } = this.#settings;
    const kept = this.#state;
    const reason = kept ? await table.read(timeoutMs, async (now) => await this.#whyAnew(kept, now)) : this.#lost;
    if (reason === 'not yet') return;
    if (reason !== undefined || !kept) await this.#beginAnew(reason);
  }

  /** Counts recent rows, at most a batch of them. @throws PostgresError or StorageError */
  async countRecent(): Promise<Step> {
    await this.begin();
    const { query } = this.#settings;
    return await this.#step(this.#recent, async (state, snapshot) => {
      const found = await recentRows(query, snapshot, state, this.#recent.rows);
      const totals = state.totals.withZeros(await knownZeros(query, snapshot));
      return { found, next: { ...state, position: reached(found, before(snapshot.head.settledXid)), totals } };
    });
  }

  /** Whether there may be rows whose time is older than the bound, and it is time to look for them. */
  get isReconcileDue(): boolean {
    const { bound } = this.#settings.query;
    if (!bound || !this.#head || !this.#state) return false;
    const sinceMs = this.#head.nowUnixMs - bound.marginMs - this.#state.boundUnixMs;
    return sinceMs >= this.#settings.reconcileMs && this.#unread.mayExist;
  }

  /** Counts older rows, at most a large batch, and moves the bound when there are no more. @throws PostgresError or StorageError */
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

  /** How many more rows were inserted than counted since counting began; undefined where the two cannot be compared. */
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

  async #beginAnew(reason: RebaselineReason | undefined): Promise<void> {
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

  /** Looks at the table, and keeps what follows from what was found; begins anew where the state is of another table. */
  async #step(
    batch: BatchSize,
    look: (state: KeptState, snapshot: TableSnapshot) => Promise<{ found: SettledRows; next: KeptState }>,
  ): Promise<Step> {
    const state = this.#state!;
    const reading = this.#settings.table.read(batch.timeoutMs, async (snapshot) => {
      const reason = await this.#whyAnew(state, snapshot);
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
      await this.#beginAnew(seen);
      return nothing;
    }
    const step = await this.#take(seen.found, seen.next);
    if (seen.next.boundUnixMs !== state.boundUnixMs) this.#unread.readUpTo(state.position);
    return step;
  }

  /** Where nothing was found, nobody waits for the disk: from where the position is, the same is found later. */
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

  /** What a storage has lost is lost for the counter too. */
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

  async #whyAnew(state: KeptState, snapshot: TableSnapshot): Promise<RebaselineReason | 'not yet' | undefined> {
    const { identity, settledXid, nextXid } = snapshot.head;
    if (identity.history !== state.identity.history) return 'identity';
    if (settledXid < state.position.xid) return 'horizon';
    if (identity.file === state.identity.file) return undefined;
    if (this.#rewrittenBelow === undefined) {
      if (!(await snapshot.isRewritten(state.position))) return undefined;
      this.#rewrittenBelow = nextXid;
    }
    // A position below the rewritten rows would have all of them counted as new.
    return settledXid < this.#rewrittenBelow ? 'not yet' : 'rewritten';
  }
}

/** Of which a timeout says how there can be more: a batch of fewer rows reads no less of the table. @throws whatever it throws */
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
