import { anyValueToText } from '../../../../engine/otlp/any-value.ts';
import { backendAttributes } from '../../../../metrics/postgres-sessions.ts';
import { ByteDictionary, MAX_ENTRIES } from '../memory/byte-dictionary.ts';
import { pairOf, pairsOfList } from '../memory/record.ts';
import type { Segment } from '../memory/segment.ts';
import { GROUPS, SELECTED, type GroupCounts, type TraceGroups } from './trace-groups.ts';

/** An attribute with its value, or the name of a span. */
export interface Property {
  /** How many traces of each group have a span or a resource with it. */
  readonly counts: GroupCounts;
  /** Undefined for the name of a span. */
  readonly attribute: () => string | undefined;
  readonly value: () => string;
}

/** They follow from which connection of a pool was free. */
const OF_CONNECTION: ReadonlySet<string> = new Set(Object.values(backendAttributes));

/** Texts of one service share few hashes by chance. Two that do are counted as one, so that no frequent one is left out. */
const HASHES = 1 << 18;
const ROWS_A_STEP = 256;
const ENTRIES_A_STEP = 1024;

/** Counts the traces that have a property, for the properties that at least so many selected traces have. */
export class Properties {
  readonly #pairs: EntryCounts;
  readonly #names: EntryCounts;
  readonly #leastSelected: number;

  constructor(leastSelected: number) {
    this.#leastSelected = leastSelected;
    this.#pairs = new EntryCounts(({ pairs }) => pairs, leastSelected);
    this.#names = new EntryCounts(({ texts }) => texts, leastSelected);
  }

  /** Properties of selected traces that are not counted: the last ones, beyond 65,534 attributes. */
  get left(): number {
    return this.#pairs.left + this.#names.left;
  }

  /** Returns the properties that so many selected traces have. */
  *common(): Generator<Property> {
    const leastSelected = this.#leastSelected;
    for (const { counts, segment, entry } of this.#pairs.common(leastSelected)) {
      if (OF_CONNECTION.has(pairOf(segment, entry)[0])) continue;
      const pair = (): readonly [string, string] => attributeOf(segment, entry);
      yield { counts, attribute: () => pair()[0], value: () => pair()[1] };
    }
    for (const { counts, segment, entry } of this.#names.common(leastSelected)) {
      yield { counts, attribute: () => undefined, value: () => segment.texts.textOf(entry) };
    }
  }

  *count(groups: TraceGroups): Generator<undefined> {
    const tallies: Tally[] = [];
    const divided = new Map<number, DividedTrace>();
    for (const index of groups.segments.keys()) {
      tallies.push(yield* tallyOf(groups, index, divided));
      yield;
    }
    for (const tally of tallies) yield* this.#expectTally(tally);
    for (const trace of divided.values()) {
      if (trace.group === SELECTED) this.#expectDivided(trace);
      yield;
    }
    // The properties of selected traces are known when those of the others are counted.
    for (let group = SELECTED; group >= 0; group--) {
      for (const tally of tallies) yield* this.#addTally(tally, group);
      for (const trace of divided.values()) {
        if (trace.group === group) this.#addDivided(trace);
        yield;
      }
    }
  }

  *#expectTally({ segment, pairs, names }: Tally): Generator<undefined> {
    for (const [counted, entries] of [
      [this.#pairs, pairs],
      [this.#names, names],
    ] as const) {
      const tally = entries[SELECTED] as Uint32Array;
      for (let entry = 0; entry < tally.length; entry++) {
        if (entry % ENTRIES_A_STEP === 0) yield;
        const count = tally[entry] as number;
        if (count > 0) counted.expect(segment, entry, count);
      }
    }
  }

  /** An entry may be expected several times for one trace. */
  #expectDivided({ places }: DividedTrace): void {
    for (const { segment, row } of places) {
      for (const pair of pairsAt(segment, row)) this.#pairs.expect(segment, pair, 1);
      this.#names.expect(segment, segment.spans.cells.name[row] as number, 1);
    }
  }

  *#addTally({ segment, pairs, names }: Tally, group: number): Generator<undefined> {
    for (const [counted, entries] of [
      [this.#pairs, pairs],
      [this.#names, names],
    ] as const) {
      const tally = entries[group] as Uint32Array;
      for (let entry = 0; entry < tally.length; entry++) {
        if (entry % ENTRIES_A_STEP === 0) yield;
        const count = tally[entry] as number;
        if (count > 0) counted.add(segment, entry, { group, count });
      }
    }
  }

  #addDivided({ group, places }: DividedTrace): void {
    const [pairs, names] = [new Set<number>(), new Set<number>()];
    for (const { segment, row } of places) {
      const { cells } = segment.spans;
      for (const pair of pairsAt(segment, row)) pairs.add(this.#pairs.numberOf(segment, pair, group));
      names.add(this.#names.numberOf(segment, cells.name[row] as number, group));
    }
    for (const number of pairs) this.#pairs.count(number, group, 1);
    for (const number of names) this.#names.count(number, group, 1);
  }
}

/** A trace that is in several segments. */
interface DividedTrace {
  readonly group: number;
  readonly places: { readonly segment: Segment; readonly row: number }[];
}

/** Counts in one segment. @param divided gets the spans of traces that other segments have, too. */
function* tallyOf(groups: TraceGroups, index: number, divided: Map<number, DividedTrace>): Generator<undefined, Tally> {
  const segment = groups.segments[index] as Segment;
  const tally = new Tally(segment);
  let untilStep = ROWS_A_STEP;
  for (const row of rowsByTrace(segment)) {
    if (--untilStep === 0) {
      untilStep = ROWS_A_STEP;
      yield;
    }
    const trace = groups.traceAt(index, row);
    const group = groups.groupOf(trace);
    if (group < 0) continue;
    if (!groups.isDivided(trace)) {
      tally.add(row, group);
      continue;
    }
    const known = divided.get(trace) ?? { group, places: [] };
    divided.set(trace, known);
    known.places.push({ segment, row });
  }
  return tally;
}

/** The counts of the entries of a dictionary that each segment has, for all segments together. */
class EntryCounts {
  readonly #of: (segment: Segment) => ByteDictionary;
  readonly #known = new ByteDictionary();
  /** Where each one was found first. */
  readonly #segments: Segment[] = [];
  readonly #entries: number[] = [];
  readonly #counts = GROUPS.map((): number[] => []);
  /** Is indexed by hash, and never below the number of selected traces that have an entry. Most entries are rare, and not looked up. */
  readonly #expected = new Uint32Array(HASHES);
  readonly #leastSelected: number;
  left = 0;

  constructor(of: (segment: Segment) => ByteDictionary, leastSelected: number) {
    this.#of = of;
    this.#leastSelected = leastSelected;
  }

  /** Before anything is counted. */
  expect(segment: Segment, entry: number, count: number): void {
    this.#expected[this.#of(segment).cheapHash(entry) & (HASHES - 1)]! += count;
  }

  add(segment: Segment, entry: number, { group, count }: { readonly group: number; readonly count: number }): void {
    this.count(this.numberOf(segment, entry, group), group, count);
  }

  /** -1 for an entry that too few selected traces have, or that has no room. */
  numberOf(segment: Segment, entry: number, group: number): number {
    const dictionary = this.#of(segment);
    if ((this.#expected[dictionary.cheapHash(entry) & (HASHES - 1)] as number) < this.#leastSelected) return -1;
    const known = this.#known.findEntry(dictionary, entry);
    if (known >= 0 || group !== SELECTED) return known;
    if (this.#known.count === MAX_ENTRIES) {
      this.left++;
      return -1;
    }
    this.#segments.push(segment);
    this.#entries.push(entry);
    for (const counts of this.#counts) counts.push(0);
    return this.#known.addEntry(dictionary, entry);
  }

  count(number: number, group: number, count: number): void {
    if (number >= 0) (this.#counts[group] as number[])[number]! += count;
  }

  *common(leastSelected: number): Generator<{
    readonly counts: GroupCounts;
    readonly segment: Segment;
    readonly entry: number;
  }> {
    for (const [number, selected] of (this.#counts[SELECTED] as number[]).entries()) {
      if (selected < leastSelected) continue;
      const counts = Object.fromEntries(
        GROUPS.map((name, group) => [name, this.#counts[group]?.[number] ?? 0]),
      ) as unknown as GroupCounts;
      yield { counts, segment: this.#segments[number] as Segment, entry: this.#entries[number] as number };
    }
  }
}

/** How many traces of each group have each entry of a segment. The spans of a trace come one after the other. */
class Tally {
  readonly segment: Segment;
  readonly pairs: readonly Uint32Array[];
  readonly names: readonly Uint32Array[];
  /** The trace + 1 that an entry was counted for last. */
  readonly #pairSeen: Uint32Array;
  readonly #nameSeen: Uint32Array;
  readonly #resources = new Map<number, readonly number[]>();

  constructor(segment: Segment) {
    this.segment = segment;
    this.pairs = GROUPS.map(() => new Uint32Array(segment.pairs.count));
    this.names = GROUPS.map(() => new Uint32Array(segment.texts.count));
    this.#pairSeen = new Uint32Array(segment.pairs.count);
    this.#nameSeen = new Uint32Array(segment.texts.count);
  }

  add(row: number, group: number): void {
    const { words, spans } = this.segment;
    const { cells } = spans;
    const mark = (cells.trace[row] as number) + 1;
    const name = cells.name[row] as number;
    if (this.#nameSeen[name] !== mark) {
      this.#nameSeen[name] = mark;
      (this.names[group] as Uint32Array)[name]!++;
    }
    const pairs = this.pairs[group] as Uint32Array;
    const details = cells.details[row] as number;
    const end = details + words.at(details);
    for (let at = details + 1; at <= end; at++) this.#addPair(pairs, words.at(at), mark);
    for (const pair of this.#pairsOf(cells.resource[row] as number)) this.#addPair(pairs, pair, mark);
  }

  #addPair(pairs: Uint32Array, pair: number, mark: number): void {
    if (this.#pairSeen[pair] === mark) return;
    this.#pairSeen[pair] = mark;
    pairs[pair]!++;
  }

  #pairsOf(resource: number): readonly number[] {
    const known = this.#resources.get(resource);
    if (known !== undefined) return known;
    const pairs = [...pairsOfList(this.segment, resource)];
    this.#resources.set(resource, pairs);
    return pairs;
  }
}

/** The attributes of a span and of its resource. */
function* pairsAt(segment: Segment, row: number): Generator<number> {
  const { words, spans } = segment;
  const details = spans.cells.details[row] as number;
  const end = details + words.at(details);
  for (let at = details + 1; at <= end; at++) yield words.at(at);
  yield* pairsOfList(segment, spans.cells.resource[row] as number);
}

/** All rows, those of a trace one after the other. */
function rowsByTrace({ spans, traces }: Segment): Uint32Array {
  const { trace } = spans.cells;
  const ends = new Uint32Array(traces.count + 1);
  for (let row = 0; row < spans.count; row++) ends[(trace[row] as number) + 1]!++;
  for (let index = 1; index < ends.length; index++) ends[index]! += ends[index - 1] as number;
  const rows = new Uint32Array(spans.count);
  for (let row = 0; row < spans.count; row++) rows[ends[trace[row] as number]!++] = row;
  return rows;
}

function attributeOf(segment: Segment, entry: number): readonly [attribute: string, value: string] {
  const [attribute, value] = pairOf(segment, entry);
  return [attribute, anyValueToText(value)];
}
