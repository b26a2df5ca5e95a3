import type { LedgerReason } from '../metrics/reasons.ts';
import type { signals } from '../metrics/self/sidecar-metric.ts';

/**
 * The items of one signal in a pipeline or an exporter: accepted = delivered + waiting + dropped. Each part is counted
 * where it happens, and what waits is read from the queues themselves, so a difference is a defect.
 */
export class Account {
  readonly #drops = new Map<LedgerReason, number>();
  readonly #places = new Set<() => number>();
  #accepted = 0;
  #delivered = 0;

  /** Counts items for which siphon is responsible from now on. */
  accept(itemCount: number): void {
    this.#accepted += itemCount;
  }

  /** Counts accepted items that were passed on. */
  deliver(itemCount: number): void {
    this.#delivered += itemCount;
  }

  /** Counts accepted items that are lost. */
  drop(itemCount: number, reason: LedgerReason): void {
    if (itemCount > 0) this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + itemCount);
  }

  /** Counts delivered items as lost: the other side has accepted their batch without them. */
  reject(itemCount: number, reason: LedgerReason): void {
    this.#delivered -= itemCount;
    this.drop(itemCount, reason);
  }

  /** Adds a place where accepted items wait. Returns a function that removes it. */
  holdIn(itemCount: () => number): () => void {
    this.#places.add(itemCount);
    return () => this.#places.delete(itemCount);
  }

  get balance(): Balance {
    const dropped = Object.fromEntries(this.#drops);
    const waiting = [...this.#places].reduce((sum, itemCount) => sum + itemCount(), 0);
    const lost = [...this.#drops.values()].reduce((sum, itemCount) => sum + itemCount, 0);
    const [accepted, delivered] = [this.#accepted, this.#delivered];
    return { accepted, delivered, waiting, dropped, difference: accepted - delivered - waiting - lost };
  }
}

/** Numbers of items. */
export interface Balance {
  readonly accepted: number;
  readonly delivered: number;
  readonly waiting: number;
  readonly dropped: Partial<Readonly<Record<LedgerReason, number>>>;
  /** Accepted items whose fate is not known: always 0, except in the moment between two steps. */
  readonly difference: number;
}

/** The part of the ledger that one component writes to. */
export class ComponentLedger {
  readonly #accountOf: (signal: Signal) => Account;
  readonly #releases: (() => void)[] = [];

  /** @param accountOf by default, accounts without a ledger. */
  constructor(accountOf: (signal: Signal) => Account = () => new Account()) {
    this.#accountOf = accountOf;
  }

  /** The account of the pipeline of a processor, or of an exporter. */
  account(signal: Signal): Account {
    return this.#accountOf(signal);
  }

  /** Adds a place where accepted items wait. */
  holds(signal: Signal, itemCount: () => number): void {
    this.#releases.push(this.#accountOf(signal).holdIn(itemCount));
  }

  /** Forgets the places. For components that have ended. */
  release(): void {
    for (const release of this.#releases.splice(0)) release();
  }
}

type Signal = (typeof signals)[number];
