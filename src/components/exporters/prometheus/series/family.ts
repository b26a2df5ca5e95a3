import type { FamilyType } from '../names/metric-type.ts';

/** The properties of a metric on the page. */
export interface FamilyTraits {
  readonly name: string;
  readonly type: FamilyType;
  readonly help: string;
  /** The unit as a suffix of metric names; empty for none. */
  readonly unit: string;
}

/** The series of one name on the page. */
export interface Family extends FamilyTraits {
  readonly id: number;
  /** Help and unit of the latest metric. */
  help: string;
  unit: string;
  /** The rows of a family are a list; -1 for none. */
  firstRow: number;
  lastRow: number;
  /** Rows that are on the page. */
  live: number;
}

const SUFFIXES: Readonly<Record<FamilyType, readonly string[]>> = {
  gauge: [''],
  counter: [''],
  histogram: ['', '_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

/**
 * Assigns names to families. A histogram `x` holds `x_count` too, because a gauge with that name would make the page
 * ambiguous. The first family keeps a name as long as it has a series on the page.
 */
export class Families {
  readonly #holders = new Map<string, Family>();
  readonly #openMetrics: boolean;
  #sorted: readonly Family[] | undefined;
  #lastId = 0;

  /** In OpenMetrics, a counter `x_total` is the family `x`, so it holds `x` too. */
  constructor(openMetrics: boolean) {
    this.#openMetrics = openMetrics;
  }

  /** All families, in the order of the page. */
  sorted(): readonly Family[] {
    this.#sorted ??= [...new Set(this.#holders.values())].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return this.#sorted;
  }

  holds(family: Family): boolean {
    return this.#holders.get(family.name) === family;
  }

  /** The family with this name; undefined if a family of another type holds one of its names. */
  claim(wanted: FamilyTraits): Family | undefined {
    const holder = this.#holders.get(wanted.name);
    if (holder?.type === wanted.type && holder.name === wanted.name) {
      holder.help = wanted.help;
      holder.unit = wanted.unit;
      return holder;
    }
    const names = this.#namesOf(wanted);
    const holders = names.flatMap((name) => this.#holders.get(name) ?? []);
    if (holders.some(({ live }) => live > 0)) return undefined;
    for (const idle of holders) this.release(idle);
    const family: Family = { ...wanted, id: ++this.#lastId, firstRow: -1, lastRow: -1, live: 0 };
    for (const name of names) this.#holders.set(name, family);
    this.#sorted = undefined;
    return family;
  }

  /** Releases the family's names. */
  release(family: Family): void {
    for (const name of this.#namesOf(family)) if (this.#holders.get(name) === family) this.#holders.delete(name);
    this.#sorted = undefined;
  }

  #namesOf({ name, type }: Pick<Family, 'name' | 'type'>): string[] {
    const names = SUFFIXES[type].map((suffix) => name + suffix);
    if (!this.#openMetrics || type === 'gauge') return names;
    const base = openMetricsName({ name, type });
    return [...new Set([...names, base, `${base}_created`])];
  }
}

/** True if a series has several numbers, and its text contains only labels. */
export function isDistribution({ type }: Pick<Family, 'type'>): boolean {
  return type === 'histogram' || type === 'summary';
}

/** The name in the metadata of OpenMetrics. */
export function openMetricsName({ name, type }: Pick<Family, 'name' | 'type'>): string {
  return type === 'counter' ? name.replace(/_total$/, '') : name;
}
