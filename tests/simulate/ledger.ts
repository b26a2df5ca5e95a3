import { packMetrics } from '../../src/packs/index.ts';

/** Numbers by series, `name{label="value",…}` with labels in order: what a scrape page shows, or should show. */
export type Counts = ReadonlyMap<string, number>;

export type Labels = Readonly<Record<string, string | boolean>>;

type HistogramName = 'scrape_run_duration_seconds' | 'scrape_artifact_body_bytes' | 'price_change_ratio';

export function seriesKey(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${String(value)}"`);
  return `${name}{${pairs.toSorted().join(',')}}`;
}

/** The effect of a transaction if it commits. */
export class Draft {
  /** Rows that it inserted or updated. */
  rows = 0;
  readonly #counts = new Map<string, number>();
  readonly #afterwards: (() => void)[] = [];
  readonly #prices = new Map<string, number>();
  readonly #outer: Draft | undefined;
  readonly #claimed: Set<string>;

  constructor(outer?: Draft) {
    this.#outer = outer;
    this.#claimed = outer ? outer.#claimed : new Set();
  }

  count(name: string, labels: Labels, times = 1): void {
    const key = seriesKey(name, labels);
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + times);
  }

  observe(name: HistogramName, labels: Labels, value: number): void {
    this.count(`${name}_count`, labels);
    this.count(`${name}_sum`, labels, value);
    for (const le of [...packMetrics[name].buckets, Infinity]) {
      if (value <= le) this.count(`${name}_bucket`, { ...labels, le: bound(le) });
    }
  }

  /** Runs when the writer knows that this was committed. */
  afterwards(remember: () => void): void {
    this.#afterwards.push(remember);
  }

  /** The latest price of a variant as this transaction sees it, other than the one that was committed. */
  priceOf(variantId: string): number | undefined {
    return this.#prices.get(variantId) ?? this.#outer?.priceOf(variantId);
  }

  /** True if this is the first call for it in the whole transaction. */
  claim(id: string): boolean {
    if (this.#claimed.has(id)) return false;
    this.#claimed.add(id);
    return true;
  }

  setPrice(variantId: string, price: number): void {
    this.#prices.set(variantId, price);
  }

  /** Takes over what was done since a savepoint. */
  absorb(inner: Draft): void {
    this.rows += inner.rows;
    for (const [key, times] of inner.#counts) this.#counts.set(key, (this.#counts.get(key) ?? 0) + times);
    for (const [variant, price] of inner.#prices) this.#prices.set(variant, price);
    this.#afterwards.push(...inner.#afterwards);
  }

  /** Adds what was counted to `totals`, and lets the writer remember. */
  commitTo(totals: Map<string, number>): void {
    for (const [key, times] of this.#counts) totals.set(key, (totals.get(key) ?? 0) + times);
    for (const remember of this.#afterwards) remember();
  }
}

/** The truth: what all writers know to have been committed. */
export class Ledger {
  readonly #totals = new Map<string, number>();
  #rows = 0;
  #transactions = 0;
  #rolledBack = 0;

  get counts(): Counts {
    return this.#totals;
  }

  get rows(): number {
    return this.#rows;
  }

  get transactions(): number {
    return this.#transactions;
  }

  get rolledBack(): number {
    return this.#rolledBack;
  }

  committed(draft: Draft): void {
    draft.commitTo(this.#totals);
    this.#rows += draft.rows;
    this.#transactions++;
  }

  aborted(): void {
    this.#rolledBack++;
  }
}

/** Formats the upper bound of a bucket like `bound`, regardless of the format on the page. */
export function bound(le: number): string {
  return String(le);
}
