import { HashIndex } from '../../../../engine/columns/hash-index.ts';
import type { ByteDictionary } from '../memory/byte-dictionary.ts';
import { durationAt, millisecondsAt, statusAt } from '../memory/record.ts';
import type { Segment } from '../memory/segment.ts';
import { decidingTest, serviceOf, spanTest, type SpanCriteria } from '../queries/criteria.ts';

/** Which traces are compared. A trace belongs to a group if one of its spans does. */
export interface GroupCriteria extends Omit<SpanCriteria, 'status' | 'minDurationMs' | 'maxDurationMs'> {
  /** Only spans of these services and names. */
  readonly operations?: readonly Operation[] | undefined;
  /** Spans that began within this time are selected, those before and after it are around. */
  readonly between?: { readonly fromMs: number; readonly toMs: number } | undefined;
  /** Only these spans are selected or around; without `between`, these are selected, and all others are around. */
  readonly which: SpanChoice;
}

export interface Operation {
  readonly service: string;
  readonly name: string;
}

/** `slow`: failed, or slower than 95 % of the spans of the same operation outside of the time. */
export type SpanChoice =
  | { readonly kind: 'all' | 'slow' }
  | ({ readonly kind: 'fitting' } & Pick<SpanCriteria, 'status' | 'minDurationMs'>);

/**
 * The groups of traces. With a time and a choice of spans, the first two have the traces without such a span, so that the
 * share of the chosen ones is known within and outside of the time. Of a trace with several spans, the last group counts.
 */
export const GROUPS = ['otherOutside', 'otherWithin', 'around', 'selected'] as const;
export type GroupCounts = Readonly<Record<(typeof GROUPS)[number], number>>;

export const SELECTED = GROUPS.indexOf('selected');

/** A group is kept as its index + 1. */
const NONE = 0;
const [OTHER_OUTSIDE, OTHER_WITHIN, AROUND, CHOSEN] = [1, 2, 3, 4];

/** True if it is counted how many traces are chosen within and outside of the time. */
export function isRise({ between, which }: GroupCriteria): boolean {
  return between !== undefined && which.kind !== 'all';
}

const ROWS_A_STEP = 1024;
const SLOW_QUANTILE = 0.95;

/** Numbers the traces of several segments. */
class TraceNumbers {
  readonly #index = new HashIndex();
  /** Where each one was found first. */
  readonly #dictionaries: ByteDictionary[] = [];
  readonly #entries: number[] = [];

  numberOf(dictionary: ByteDictionary, entry: number): number {
    const hash = dictionary.hashOf(entry);
    for (let slot = this.#index.seek(hash); ; slot = this.#index.next(slot, hash)) {
      const number = this.#index.entryAt(slot);
      if (number < 0) break;
      if (dictionary.haveSame(entry, this.#dictionaries[number] as ByteDictionary, this.#entries[number] as number)) {
        return number;
      }
    }
    this.#dictionaries.push(dictionary);
    this.#index.add(hash, this.#entries.length);
    return this.#entries.push(entry) - 1;
  }
}

/** The traces of some segments, and the group of each. */
export class TraceGroups {
  readonly segments: readonly Segment[];
  /** Indexed like the segments: the number of each of their traces among all, -1 for a trace that has only log records. */
  readonly #numbers: readonly Int32Array[];
  /** Indexed by that number: in how many segments the trace has spans. */
  readonly #occurrences: readonly number[];
  /** Indexed by that number: the index of the group + 1, or 0. */
  readonly #codes: Uint8Array;

  private constructor(segments: readonly Segment[], numbers: readonly Int32Array[], occurrences: readonly number[]) {
    this.segments = segments;
    this.#numbers = numbers;
    this.#occurrences = occurrences;
    this.#codes = new Uint8Array(occurrences.length);
  }

  static *of(segments: readonly Segment[], criteria: GroupCriteria): Generator<undefined, TraceGroups> {
    const known = new TraceNumbers();
    const occurrences: number[] = [];
    const numbers: Int32Array[] = [];
    for (const { spans, traces } of segments) {
      const ofSegment = new Int32Array(traces.count).fill(-1);
      numbers.push(ofSegment);
      for (let row = 0; row < spans.count; row++) {
        if (row % ROWS_A_STEP === 0) yield;
        const trace = spans.cells.trace[row] as number;
        if (ofSegment[trace] !== -1) continue;
        const number = known.numberOf(traces, trace);
        ofSegment[trace] = number;
        occurrences[number] = (occurrences[number] ?? 0) + 1;
      }
    }
    const groups = new TraceGroups(segments, numbers, occurrences);
    yield* groups.#classify(criteria);
    return groups;
  }

  /** The number of the trace of a span; -1 for one that has arrived meanwhile. */
  traceAt(segment: number, row: number): number {
    return this.#numbers[segment]?.[this.segments[segment]?.spans.cells.trace[row] as number] ?? -1;
  }

  /** True if several segments have spans of the trace. */
  isDivided(trace: number): boolean {
    return (this.#occurrences[trace] as number) > 1;
  }

  /** The index of its group; -1 for a trace that is in none. */
  groupOf(trace: number): number {
    return trace < 0 ? -1 : (this.#codes[trace] as number) - 1;
  }

  /** The number of traces of each group. */
  totals(): GroupCounts {
    const counts = new Float64Array(GROUPS.length + 1);
    for (const code of this.#codes) counts[code]!++;
    return Object.fromEntries(
      GROUPS.map((name, group) => [name, counts[group + 1] as number]),
    ) as unknown as GroupCounts;
  }

  *#classify(criteria: GroupCriteria): Generator<undefined> {
    const slow = criteria.which.kind === 'slow' ? yield* this.#limits(criteria) : undefined;
    for (const [index, segment] of this.segments.entries()) {
      const codeOf = codeTest(segment, criteria, slow);
      const { count } = segment.spans;
      for (let row = 0; row < count; row++) {
        if (row % ROWS_A_STEP === 0) yield;
        const code = codeOf(row);
        const trace = this.traceAt(index, row);
        if (code > (this.#codes[trace] ?? code)) this.#codes[trace] = code;
      }
    }
  }

  /** For each operation, the duration that 5 % of the spans outside of the time exceed, in nanoseconds. */
  *#limits(criteria: GroupCriteria): Generator<undefined, ReadonlyMap<string, number>> {
    const durations = new Map<string, number[]>();
    for (const segment of this.segments) {
      const fits = comparedTest(segment, criteria);
      const isWithin = timeTest(segment, criteria.between);
      const operationOf = operationsIn(segment);
      for (let row = 0; row < segment.spans.count; row++) {
        if (row % ROWS_A_STEP === 0) yield;
        if (isWithin(row) || !fits(row)) continue;
        const operation = operationOf(row);
        const list = durations.get(operation);
        if (list === undefined) durations.set(operation, [durationAt(segment, row)]);
        else list.push(durationAt(segment, row));
      }
    }
    const limits = new Map<string, number>();
    for (const [operation, list] of durations) {
      const sorted = Float64Array.from(list).toSorted();
      limits.set(operation, sorted[Math.floor(sorted.length * SLOW_QUANTILE)] as number);
      yield;
    }
    return limits;
  }
}

/** The group that a span puts its trace into, as its code. */
function codeTest(
  segment: Segment,
  criteria: GroupCriteria,
  slow: ReadonlyMap<string, number> | undefined,
): (row: number) => number {
  const fits = comparedTest(segment, criteria);
  const isWithin = timeTest(segment, criteria.between);
  const isChosen = choiceTest(segment, criteria.which, slow);
  if (isRise(criteria)) {
    return (row) => {
      if (!fits(row)) return NONE;
      if (isChosen(row)) return isWithin(row) ? CHOSEN : AROUND;
      return isWithin(row) ? OTHER_WITHIN : OTHER_OUTSIDE;
    };
  }
  const isSelected = criteria.between === undefined ? isChosen : isWithin;
  return (row) => {
    if (!fits(row)) return NONE;
    return isSelected(row) ? CHOSEN : AROUND;
  };
}

/** The spans that decide about a trace. With a status, any span may: a trace failed if one of its spans did. */
function comparedTest(segment: Segment, criteria: GroupCriteria): (row: number) => boolean {
  const { operations, which } = criteria;
  if (operations !== undefined) {
    const fits = spanTest(segment, criteria);
    const wanted = new Set(operations.map(keyOf));
    const operationOf = operationsIn(segment);
    return (row) => fits(row) && wanted.has(operationOf(row));
  }
  const ofAnySpan = which.kind === 'fitting' && which.status !== undefined;
  return ofAnySpan ? spanTest(segment, criteria) : decidingTest(segment, criteria);
}

function timeTest({ spans: { cells } }: Segment, between: GroupCriteria['between']): (row: number) => boolean {
  if (between === undefined) return () => false;
  return (row) => {
    const ms = millisecondsAt(cells.startNs, row);
    return ms >= between.fromMs && ms <= between.toMs;
  };
}

function choiceTest(
  segment: Segment,
  which: SpanChoice,
  slow: ReadonlyMap<string, number> | undefined,
): (row: number) => boolean {
  if (which.kind === 'all') return () => true;
  if (which.kind === 'fitting') return spanTest(segment, { attributes: [], ...which });
  const operationOf = operationsIn(segment);
  // An operation without spans outside of the time has no usual duration.
  return (row) =>
    statusAt(segment, row) === 'error' || durationAt(segment, row) > (slow?.get(operationOf(row)) ?? Infinity);
}

/** The service and name of a span as one text. Each resource and name of the segment is read once. */
function operationsIn(segment: Segment): (row: number) => string {
  const { cells } = segment.spans;
  const known = new Map<number, string>();
  return (row) => {
    const [resource, name] = [cells.resource[row] as number, cells.name[row] as number];
    const key = resource * 65_536 + name;
    const operation =
      known.get(key) ?? keyOf({ service: serviceOf(segment, resource), name: segment.texts.textOf(name) });
    known.set(key, operation);
    return operation;
  };
}

function keyOf({ service, name }: Operation): string {
  return `${service}\0${name}`;
}
