import { PostgresError } from '../../../src/postgres/postgres-error.ts';
import type {
  CountedTable,
  Head,
  KeyedRow,
  Lane,
  RowsRequest,
  SettledRow,
  SettledRows,
  Sweep,
  TableSnapshot,
} from '../../../src/components/receivers/db-poller/counters/counted-table.ts';
import type { Position } from '../../../src/components/receivers/db-poller/counters/counted-table.ts';

interface Version {
  readonly key: string;
  readonly xid: number;
  /** The transaction with the number `xid`, or the one with the savepoint of this number. */
  readonly owner: number;
  readonly timeMs: number | undefined;
  readonly events: number;
  readonly label: string;
}

type Outcome = 'open' | 'committed' | 'rolled_back';

/** The state of the table at one reading. */
export interface Sight {
  readonly settledXid: number;
  readonly visible: readonly Version[];
}

/** A table with transactions as PostgreSQL numbers them, reduced to what counting depends on. */
export class ModelTable implements CountedTable {
  nowMs = 10_000_000;
  #nextXid = 100;
  #nextKey = 0;
  #inserted = 0;
  readonly #outcomes = new Map<number, Outcome>();
  /** The current version of each key, and the versions of open transactions. */
  readonly #versions: Version[] = [];
  #identity = 'a';
  /** Fails a reading after so many that succeed. */
  failsAfter = Infinity;
  /** True if the end of all ended transactions is on disk. Waiting for it succeeds immediately. */
  isFlushed = true;
  /** How long a reading of the rows between two positions takes, and all of them together. */
  readingMs = 0;
  readMs = 0;
  #latestReading: Sight | undefined;

  begin(): number {
    const xid = this.#nextXid++;
    this.#outcomes.set(xid, 'open');
    return xid;
  }

  get open(): number[] {
    return [...this.#outcomes].filter(([, outcome]) => outcome === 'open').map(([xid]) => xid);
  }

  end(xid: number, outcome: 'committed' | 'rolled_back'): void {
    this.#outcomes.set(xid, outcome);
  }

  /** @param isSaved in a savepoint, which has a number of its own. */
  insert(owner: number, row: { timeMs: number | undefined; events: number; label: string; isSaved: boolean }): void {
    const { isSaved, ...rest } = row;
    const xid = isSaved ? this.#nextXid++ : owner;
    this.#inserted++;
    this.#versions.push({ key: String(this.#nextKey % 7) + String(this.#nextKey++), xid, owner, ...rest });
  }

  /** Writes a new version of a committed row that no open transaction has written. */
  update(owner: number, choice: number, events: number): void {
    const free = this.#visible().filter(({ key }) => !this.#versions.some((v) => v.key === key && this.#is(v, 'open')));
    const old = free[choice % Math.max(1, free.length)];
    if (old) this.#versions.push({ ...old, xid: owner, owner, events: old.events | events });
  }

  /** Goes back to the rows of the oldest transactions, by another history, in which keys come again. */
  restore(transactions: number): void {
    for (const xid of this.open) this.end(xid, 'rolled_back');
    const xids = [...this.#outcomes.keys()].toSorted((a, b) => a - b);
    const from = xids[transactions % (xids.length + 1)] ?? Infinity;
    const kept = this.#versions.filter(({ owner }) => owner < from);
    this.#versions.splice(0, Infinity, ...kept);
    this.#nextKey = Math.max(0, ...kept.map(({ key }) => Number(key.slice(1)) + 1));
    this.#identity += 'a';
  }

  /** The versions that a new reader would see. */
  committed(): readonly Version[] {
    return this.#visible();
  }

  /** Undefined before the first reading. */
  get latestReading(): Sight | undefined {
    return this.#latestReading;
  }

  async read<T>(_timeoutMs: number, work: (snapshot: TableSnapshot) => Promise<T>): Promise<T> {
    if (this.failsAfter-- === 0) {
      this.failsAfter = Infinity;
      throw new PostgresError('timeout', 'the model fails on request');
    }
    const visible = this.#visible();
    const head = this.#head();
    this.#latestReading = { settledXid: head.settledXid, visible };
    return await work({
      head,
      rows: async (request) => {
        this.readMs += this.readingMs;
        return rowsOf(visible, request);
      },
      everyRow: (part) => everyRow('from' in part ? this.#blocks(visible, part.from, part.end) : visible.filter(({ xid }) => xid >= part.sinceXid)), // prettier-ignore
      known: async () => [],
      existing: async () => [],
      count: async (sweep, blocks) => this.#swept(visible, sweep, blocks).length,
      swept: async (sweep, blocks) => ({ rows: this.#swept(visible, sweep, blocks), isTooMany: false }),
      blocks: async () => this.#versions.length,
      hasRowsBefore: async () => false,
      isRewritten: async () => false,
      endedForGood: async (patience) => patience !== 'does not wait' || this.isFlushed,
    });
  }

  #head(): Head {
    return {
      identity: { history: this.#identity, file: '1', key: '1', parts: { 1: '1' } },
      isStandby: false,
      settledXid: Math.min(this.#nextXid, ...this.open),
      nextXid: this.#nextXid,
      nowUnixMs: this.nowMs,
      statistics: { inserted: this.#inserted, updated: this.#versions.length },
    };
  }

  #is({ owner }: Version, outcome: Outcome): boolean {
    return this.#outcomes.get(owner) === outcome;
  }

  /** A version is a block. */
  #blocks(visible: readonly Version[], from: number, end: number): Version[] {
    const inBlocks = new Set(this.#versions.slice(from, end));
    return visible.filter((row) => inBlocks.has(row));
  }

  #swept(visible: readonly Version[], { block, upTo, ...sweep }: Sweep, blocks: number): SettledRow[] {
    const after = (row: Version): Position | undefined =>
      sweep.after && (isInLane(row, 'recent', sweep.boundUnixMs) ? sweep.after : sweep.olderAfter);
    const isAfter = (row: Version, position: Position | undefined): boolean => !position || compare(row, position) > 0;
    return this.#blocks(visible, block, block + blocks)
      .filter((row) => isAfter(row, after(row)) && compare(row, upTo) <= 0)
      .map(settledRow);
  }

  #visible(): Version[] {
    const latest = new Map(this.#versions.filter((v) => this.#is(v, 'committed')).map((v) => [v.key, v]));
    return [...latest.values()];
  }
}

async function* everyRow(rows: readonly Version[]): AsyncGenerator<readonly KeyedRow[]> {
  const keyed = rows.filter(({ events }) => events > 0);
  for (let i = 0; i < keyed.length; i += 3) yield keyed.slice(i, i + 3);
}

/** Few, so that bursts are swept. */
const MAX_BATCHES = 2;

function settledRow({ key, events, label }: Version): SettledRow {
  return { key, events, details: { label, size: 1 } };
}

function rowsOf(visible: readonly Version[], request: RowsRequest): SettledRows {
  const { after, upTo, limit } = request;
  const found = visible
    .filter((row) => isInLane(row, request.lane, request.boundUnixMs))
    .filter((row) => compare(row, after) > 0 && compare(row, upTo) <= 0)
    .toSorted((a, b) => compare(a, b));
  const isTooMany = found.length > limit * MAX_BATCHES;
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return {
    rows: rows.map(settledRow),
    isTooMany,
    waiting: found.length,
    isFull: rows.length === limit,
    last: last && { xid: last.xid, key: last.key },
  };
}

function isInLane({ timeMs }: Version, lane: Lane, boundMs: number): boolean {
  if (lane === 'all') return true;
  const isRecent = timeMs !== undefined && timeMs >= boundMs;
  return lane === 'recent' ? isRecent : !isRecent;
}

/** A position without a key is before every row of its transaction. */
function compare(a: { xid: number; key: string | undefined }, b: Position): number {
  if (a.xid !== b.xid) return a.xid - b.xid;
  if (a.key === b.key) return 0;
  if (a.key === undefined) return -1;
  if (b.key === undefined) return 1;
  return a.key < b.key ? -1 : 1;
}
