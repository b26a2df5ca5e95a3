import type { Origin } from './targets.ts';
import type { FamilyType } from '../names/metric-type.ts';
import { NameClaims } from './name-claims.ts';

/** Who claims a name, and when. Siphon's own receivers take names from others. */
export interface Claimant {
  readonly origin: Origin;
  readonly nowMs: number;
}

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
  readonly origin: Origin;
  /** Since when the family holds its name. */
  readonly sinceMs: number;
}

const SUFFIXES: Readonly<Record<FamilyType, readonly string[]>> = {
  gauge: [''],
  counter: [''],
  histogram: ['', '_bucket', '_sum', '_count'],
  summary: ['', '_sum', '_count'],
};

/**
 * Assigns names to families. A histogram `x` holds `x_count` too, because a gauge with that name would make the page
 * ambiguous. The first family keeps a name as long as it has a series on the page, unless another type has been sent for
 * longer: who takes a name before its sender comes, or while it is away, does not keep it.
 */
export class Families {
  readonly #holders = new Map<string, Family>();
  readonly #claims: NameClaims;
  readonly #openMetrics: boolean;
  readonly #leadMs: number;
  #sorted: readonly Family[] | undefined;
  #lastId = 0;
  #bytes = 0;

  /**
   * In OpenMetrics, a counter `x_total` is the family `x`, so it holds `x` too.
   *
   * @param expirationMs by how much longer than its holder another type must have been sent to get a name, and from
   *   which time on a sender has paused.
   */
  constructor(openMetrics: boolean, expirationMs = Infinity) {
    this.#openMetrics = openMetrics;
    this.#leadMs = expirationMs;
    this.#claims = new NameClaims(expirationMs);
  }

  /** An estimate of the memory of all families. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The family with this name and type. */
  find({ name, type }: FamilyTraits): Family | undefined {
    const holder = this.#holders.get(name);
    return holder?.type === type && holder.name === name ? holder : undefined;
  }

  /** True if `claim` would return a family. Otherwise the claim is noted. */
  isFree(wanted: FamilyTraits, claimant: Claimant): boolean {
    if (this.find(wanted) !== undefined) return true;
    const isFree = this.#holdersOf(wanted).every((holder) => this.#yields(holder, wanted, claimant));
    if (!isFree) this.#claims.refused(wanted.name, wanted.type, claimant.nowMs);
    return isFree;
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
  claim(wanted: FamilyTraits, claimant: Claimant): Family | undefined {
    const holder = this.find(wanted);
    if (holder !== undefined) {
      this.#bytes += familyBytes(wanted) - familyBytes(holder);
      holder.help = wanted.help;
      holder.unit = wanted.unit;
      return holder;
    }
    const holders = this.#holdersOf(wanted);
    if (!holders.every((other) => this.#yields(other, wanted, claimant))) return undefined;
    for (const other of holders) this.release(other, claimant.nowMs);
    const { origin, nowMs: sinceMs } = claimant;
    const family: Family = { ...wanted, id: ++this.#lastId, firstRow: -1, lastRow: -1, live: 0, origin, sinceMs };
    for (const name of this.#namesOf(wanted)) this.#holders.set(name, family);
    this.#sorted = undefined;
    this.#bytes += familyBytes(family);
    return family;
  }

  /** Releases the family's names. Its rows leave the page, and the memory when they expire. */
  release(family: Family, nowMs: number): void {
    if (this.holds(family)) {
      this.#bytes -= familyBytes(family);
      this.#claims.held(family.name, family.type, { sinceMs: family.sinceMs, nowMs });
    }
    for (const name of this.#namesOf(family)) if (this.#holders.get(name) === family) this.#holders.delete(name);
    this.#sorted = undefined;
  }

  #holdersOf(wanted: FamilyTraits): Family[] {
    return this.#namesOf(wanted).flatMap((name) => this.#holders.get(name) ?? []);
  }

  /** True if the family must leave its name to the claimant. */
  #yields(holder: Family, { name, type }: FamilyTraits, { origin, nowMs }: Claimant): boolean {
    if (holder.live === 0) return true;
    if (holder.origin !== origin) return origin === 'own';
    const { sinceMs } = holder;
    const lead =
      this.#claims.sentMs(name, type, { nowMs }) - this.#claims.sentMs(holder.name, holder.type, { sinceMs, nowMs });
    return lead > this.#leadMs;
  }

  #namesOf({ name, type }: Pick<Family, 'name' | 'type'>): string[] {
    const names = SUFFIXES[type].map((suffix) => name + suffix);
    if (!this.#openMetrics || type === 'gauge') return names;
    const base = openMetricsName({ name, type });
    return [...new Set([...names, base, `${base}_created`])];
  }
}

const FAMILY_BYTES = 800;

/** The name is part of several keys. */
function familyBytes({ name, help }: FamilyTraits): number {
  return FAMILY_BYTES + name.length * 8 + help.length * 2;
}

/** True if a series has several numbers, and its text contains only labels. */
export function isDistribution({ type }: Pick<Family, 'type'>): boolean {
  return type === 'histogram' || type === 'summary';
}

/** The name in the metadata of OpenMetrics. */
export function openMetricsName({ name, type }: Pick<Family, 'name' | 'type'>): string {
  return type === 'counter' ? name.replace(/_total$/, '') : name;
}
