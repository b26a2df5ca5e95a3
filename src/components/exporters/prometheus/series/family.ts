import type { FamilyType } from '../names/metric-type.ts';

/** What a metric wants to be on the page. */
export interface FamilyTraits {
  readonly name: string;
  readonly type: FamilyType;
  readonly help: string;
  /** As metric names end in it; empty for none. */
  readonly unit: string;
}

/** The series of one name on the page. */
export interface Family extends FamilyTraits {
  readonly id: number;
  /** The latest, both. */
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
 * Who holds which name. A histogram `x` holds `x_count` too: a gauge of that name beside it would make the
 * page ambiguous. The first comer keeps a name as long as it has a series on the page.
 */
export class Families {
  readonly #holders = new Map<string, Family>();
  readonly #openMetrics: boolean;
  #sorted: readonly Family[] | undefined;
  #lastId = 0;

  /** In OpenMetrics a counter `x_total` is the family `x`, so that it holds `x` too. */
  constructor(openMetrics: boolean) {
    this.#openMetrics = openMetrics;
  }

  /** Those that hold a name, in the order of the page. */
  sorted(): readonly Family[] {
    this.#sorted ??= [...new Set(this.#holders.values())].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return this.#sorted;
  }

  holds(family: Family): boolean {
    return this.#holders.get(family.name) === family;
  }

  /** The family with this name, or undefined where another type holds one of its names. */
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

  /** Gives the family's names to whoever wants them next. */
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

/** Whether its series have more than one number, and text that is their labels alone. */
export function isDistribution({ type }: Pick<Family, 'type'>): boolean {
  return type === 'histogram' || type === 'summary';
}

/** The name in OpenMetrics' metadata. */
export function openMetricsName({ name, type }: Pick<Family, 'name' | 'type'>): string {
  return type === 'counter' ? name.replace(/_total$/, '') : name;
}
