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

/** Counts the traces that have a property, for the properties that at least so many selected traces have. */
export class Properties {
  readonly #pairs: EntryCounts;
  readonly #names: EntryCounts;
  readonly #leastSelected: number;

  constructor(leastSelected: number) {
    this.#leastSelected = leastSelected;
    this.#pairs = new EntryCounts(leastSelected);
    this.#names = new EntryCounts(leastSelected);
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
    const tallies: SegmentTally[] = [];
    const divided = new Map<number, DividedTrace>();
    for (const index of groups.segments.keys()) {
      tallies.push(yield* tallyOf(groups, index, divided));
      yield;
    }
    for (const { pairs, names } of tallies) {
      this.#pairs.expectAll(pairs);
      this.#names.expectAll(names);
      yield;
    }
    for (const trace of divided.values()) {
      if (trace.group === SELECTED) this.#expectDivided(trace);
      yield;
    }
    // The properties of selected traces are known when those of the others are counted.
    for (let group = SELECTED; group >= 0; group--) {
      for (const { pairs, names } of tallies) {
        this.#pairs.addAll(pairs, group);
        this.#names.addAll(names, group);
        yield;
      }
      for (const trace of divided.values()) {
        if (trace.group === group) this.#addDivided(trace);
        yield;
      }
    }
  }

  /** An entry may be expected several times for one trace. */
  #expectDivided({ places }: DividedTrace): void {
    for (const { tally, row } of places) {
      for (const pair of pairsAt(tally.segment, row)) this.#pairs.expect(tally.pairs, pair, 1);
      this.#names.expect(tally.names, nameAt(tally.segment, row), 1);
    }
  }

  #addDivided({ group, places }: DividedTrace): void {
    const [pairs, names] = [new Set<number>(), new Set<number>()];
    for (const { tally, row } of places) {
      for (const pair of pairsAt(tally.segment, row)) pairs.add(this.#pairs.numberOf(tally.pairs, pair, group));
      names.add(this.#names.numberOf(tally.names, nameAt(tally.segment, row), group));
    }
    for (const number of pairs) this.#pairs.count(number, group, 1);
    for (const number of names) this.#names.count(number, group, 1);
  }
}

/** A trace that is in several segments. */
interface DividedTrace {
  readonly group: number;
  readonly places: { readonly tally: SegmentTally; readonly row: number }[];
}

/** Counts in one segment. @param divided gets the spans of traces that other segments have, too. */
function* tallyOf(
  groups: TraceGroups,
  index: number,
  divided: Map<number, DividedTrace>,
): Generator<undefined, SegmentTally> {
  const segment = groups.segments[index] as Segment;
  const tally = new SegmentTally(segment);
  const rows = rowsByTrace(segment);
  for (let i = 0; i < rows.length; i++) {
    if (i % ROWS_A_STEP === 0) yield;
    const row = rows[i] as number;
    const trace = groups.traceAt(index, row);
    const group = groups.groupOf(trace);
    if (group < 0) continue;
    if (!groups.isDivided(trace)) {
      tally.add(row, group);
      continue;
    }
    const known = divided.get(trace) ?? { group, places: [] };
    divided.set(trace, known);
    known.places.push({ tally, row });
  }
  return tally;
}

/** The counts of entries for all segments together. */
class EntryCounts {
  readonly #known = new ByteDictionary();
  /** Where each one was found first. */
  readonly #segments: Segment[] = [];
  readonly #entries: number[] = [];
  readonly #counts = GROUPS.map((): number[] => []);
  /** Is indexed by hash, and never below the number of selected traces that have an entry. Most entries are rare, and not looked up. */
  readonly #expected = new Uint32Array(HASHES);
  readonly #leastSelected: number;
  left = 0;

  constructor(leastSelected: number) {
    this.#leastSelected = leastSelected;
  }

  /** Before anything is counted. */
  expect({ hashes }: Tally, entry: number, count: number): void {
    this.#expected[(hashes[entry] as number) & (HASHES - 1)]! += count;
  }

  expectAll({ counts, hashes }: Tally): void {
    const expected = this.#expected;
    const selected = counts[SELECTED] as Uint32Array;
    for (let entry = 0; entry < selected.length; entry++) {
      const count = selected[entry] as number;
      if (count > 0) expected[(hashes[entry] as number) & (HASHES - 1)]! += count;
    }
  }

  addAll(tally: Tally, group: number): void {
    const counts = tally.counts[group] as Uint32Array;
    for (let entry = 0; entry < counts.length; entry++) {
      const count = counts[entry] as number;
      if (count > 0 && this.#mayBeFrequent(tally, entry)) this.count(this.numberOf(tally, entry, group), group, count);
    }
  }

  /** -1 for an entry that too few selected traces have, or that has no room. */
  numberOf(tally: Tally, entry: number, group: number): number {
    if (!this.#mayBeFrequent(tally, entry)) return -1;
    const known = this.#known.findEntry(tally.dictionary, entry);
    if (known >= 0 || group !== SELECTED) return known;
    if (this.#known.count === MAX_ENTRIES) {
      this.left++;
      return -1;
    }
    this.#segments.push(tally.segment);
    this.#entries.push(entry);
    for (const counts of this.#counts) counts.push(0);
    return this.#known.addEntry(tally.dictionary, entry);
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

  #mayBeFrequent({ hashes }: Tally, entry: number): boolean {
    return (this.#expected[(hashes[entry] as number) & (HASHES - 1)] as number) >= this.#leastSelected;
  }
}

/** How many traces of each group have each entry of a dictionary. */
class Tally {
  readonly segment: Segment;
  readonly dictionary: ByteDictionary;
  /** One list for each group, one count for each entry. */
  readonly counts: readonly Uint32Array[];
  /** For each entry the trace + 1 that it was counted for last. */
  readonly seen: Uint32Array;
  /** One for each entry. */
  readonly hashes: Int32Array;

  constructor(segment: Segment, dictionary: ByteDictionary) {
    this.segment = segment;
    this.dictionary = dictionary;
    this.counts = GROUPS.map(() => new Uint32Array(dictionary.count));
    this.seen = new Uint32Array(dictionary.count);
    this.hashes = dictionary.cheapHashes();
  }

  add(entry: number, group: number, mark: number): void {
    if (this.seen[entry] === mark) return;
    this.seen[entry] = mark;
    (this.counts[group] as Uint32Array)[entry]!++;
  }
}

/** How many traces of each group have each attribute and name of a segment. The spans of a trace come one after the other. */
class SegmentTally {
  readonly segment: Segment;
  readonly pairs: Tally;
  readonly names: Tally;
  readonly #resources = new Map<number, readonly number[]>();

  constructor(segment: Segment) {
    this.segment = segment;
    this.pairs = new Tally(segment, segment.pairs);
    this.names = new Tally(segment, segment.texts);
  }

  add(row: number, group: number): void {
    const { words, spans } = this.segment;
    const { cells } = spans;
    const mark = (cells.trace[row] as number) + 1;
    this.names.add(cells.name[row] as number, group, mark);
    const { pairs } = this;
    const details = cells.details[row] as number;
    const end = details + words.at(details);
    for (let at = details + 1; at <= end; at++) pairs.add(words.at(at), group, mark);
    for (const pair of this.#pairsOf(cells.resource[row] as number)) pairs.add(pair, group, mark);
  }

  #pairsOf(resource: number): readonly number[] {
    const known = this.#resources.get(resource);
    if (known !== undefined) return known;
    const pairs = [...pairsOfList(this.segment, resource)];
    this.#resources.set(resource, pairs);
    return pairs;
  }
}

function nameAt({ spans }: Segment, row: number): number {
  return spans.cells.name[row] as number;
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
