import type { SeriesGroup } from '../../../../engine/metric-history.ts';

/** A group of series with their numbers: `first` and those that follow, one for each part. */
export interface NumberedGroup extends SeriesGroup {
  readonly first: number;
}

/** Estimates: a group with its entries in the maps and one copy of its text. */
const GROUP_BYTES = 200;
const NAME_BYTES = 300;

/** Numbers series. The numbers of groups that are removed are given to others of the same size. */
export class SeriesIndex {
  readonly #byName = new Map<string, Map<string, NumberedGroup[]>>();
  /** First numbers by the size of the group. */
  readonly #unused = new Map<number, number[]>();
  /** Removed, but a query that runs may still read them. */
  #removed: NumberedGroup[] = [];
  #end = 0;
  #count = 0;
  #bytes = 0;

  /** All numbers are below. */
  get end(): number {
    return this.#end;
  }

  /** How many series have a number. */
  get count(): number {
    return this.#count;
  }

  get sizeBytes(): number {
    return this.#bytes;
  }

  find({ name, labels, parts }: SeriesGroup): NumberedGroup | undefined {
    const groups = this.#byName.get(name)?.get(labels);
    return groups?.find((group) => group.parts === parts || haveSameParts(group, parts));
  }

  add(group: SeriesGroup): NumberedGroup {
    const { name, labels, parts } = group;
    const first = this.#unused.get(parts.length)?.pop() ?? this.#extend(parts.length);
    const numbered = { name, labels, parts, first };
    const ofName = this.#byName.get(name) ?? new Map<string, NumberedGroup[]>();
    if (ofName.size === 0) this.#bytes += NAME_BYTES;
    this.#byName.set(name, ofName);
    const groups = ofName.get(labels);
    if (groups === undefined) ofName.set(labels, [numbered]);
    else groups.push(numbered);
    this.#count += parts.length;
    this.#bytes += groupBytes(group);
    return numbered;
  }

  remove(group: NumberedGroup): void {
    const { name, labels, parts } = group;
    const ofName = this.#byName.get(name);
    const left = ofName?.get(labels)?.filter((other) => other !== group) ?? [];
    if (left.length > 0) ofName?.set(labels, left);
    else ofName?.delete(labels);
    if (ofName?.size === 0) {
      this.#byName.delete(name);
      this.#bytes -= NAME_BYTES;
    }
    this.#removed.push(group);
    this.#count -= parts.length;
    this.#bytes -= groupBytes(group);
  }

  /** Gives the numbers of removed groups to others from now on. */
  reuseRemoved(): void {
    for (const { parts, first } of this.#removed) {
      const unused = this.#unused.get(parts.length) ?? [];
      unused.push(first);
      this.#unused.set(parts.length, unused);
    }
    this.#removed = [];
  }

  all(): readonly NumberedGroup[] {
    return [...this.names()].flatMap((name) => [...this.groups(name)]);
  }

  names(): Iterable<string> {
    return this.#byName.keys();
  }

  *groups(name: string): Generator<NumberedGroup> {
    for (const groups of this.#byName.get(name)?.values() ?? []) yield* groups;
  }

  #extend(size: number): number {
    const first = this.#end;
    this.#end += size;
    return first;
  }
}

function groupBytes({ labels }: SeriesGroup): number {
  return GROUP_BYTES + labels.length;
}

function haveSameParts({ parts }: SeriesGroup, others: SeriesGroup['parts']): boolean {
  if (parts.length !== others.length) return false;
  return parts.every(({ suffix, label }, index) => others[index]?.suffix === suffix && others[index]?.label === label);
}
