import {
  NO_ROOM,
  type SampleSink,
  type SeriesExemplar,
  type SeriesGroup,
  type SeriesPart,
} from '../../../../engine/metric-history.ts';
import { inSlices } from '../../../../engine/time-slice.ts';
import { keyOf, labelsOf, merged, METRIC_NAME } from '../../../../promql/labels.ts';
import { SERIES_STEPS, type Budget, type Steps } from '../../../../promql/budget.ts';
import { fitsAll, type Matcher } from '../../../../promql/matcher.ts';
import type { Samples, SeriesSource, StoredSeries, TimeRange } from '../../../../promql/series-source.ts';
import { ExemplarList, type StoredExemplar } from './exemplar-list.ts';
import { readLabels } from './label-text.ts';
import { SampleList } from './sample-list.ts';
import { joinPieces, type SegmentPiece } from './segment-piece.ts';
import { isIn, OpenSegment, sizeOf, visitSegment, type Segment } from './segment.ts';
import { SeriesIndex, type NumberedGroup } from './series-index.ts';

export interface HistoryLimits {
  readonly retentionMs: number;
  readonly maxBytes: number;
}

/** Segments in the order of their time, and the groups whose samples are in them. */
export interface HistoryContent {
  readonly segments: readonly Segment[];
  readonly groups: readonly NumberedGroup[];
}

export interface HistorySeries extends StoredSeries {
  /** The exemplars within the time, both ends included, in the order of their time. */
  exemplars(time: TimeRange): readonly StoredExemplar[];
}

/** This part of the bytes is for what new series cost immediately; else they would push out the samples of all others. */
const SERIES_SHARE = 0.5;

/** And this part for exemplars. */
const EXEMPLAR_SHARE = 0.05;

const SUFFIXES: readonly SeriesPart['suffix'][] = ['', '_bucket', '_sum', '_count'];

/**
 * The samples of all series. All are written at the same moments, so a moment is stored once for all of them.
 *
 *     segments    32 moments each, compressed; the oldest ones are removed by age, and when there are too many bytes
 *     open        the segment that is being written
 *     index       the labels of series; a series without samples is removed with the segment that had its last one
 *     exemplars   the latest ones of all series
 */
export class History implements SampleSink, SeriesSource {
  readonly limits: HistoryLimits;
  readonly #index = new SeriesIndex();
  readonly #segments: Segment[] = [];
  readonly #open = new OpenSegment();
  readonly #exemplars: ExemplarList;
  /** The last work that must not overlap with other work. */
  #working: Promise<unknown> = Promise.resolve();
  #segmentBytes = 0;
  #leftOut = 0;
  #leftOutNow = 0;

  constructor(limits: HistoryLimits) {
    this.limits = limits;
    this.#exemplars = new ExemplarList(limits.maxBytes * EXEMPLAR_SHARE);
  }

  get series(): number {
    return this.#index.count;
  }

  get sizeBytes(): number {
    return this.#segmentBytes + this.#open.sizeBytes + this.#index.sizeBytes + this.#exemplars.sizeBytes;
  }

  /** The first and the last moment, in Unix milliseconds; undefined without any. */
  get time(): TimeRange | undefined {
    const fromMs = this.#segments[0]?.timesMs[0] ?? this.#open.timesMs[0];
    const toMs = this.#open.timesMs.at(-1) ?? this.#segments.at(-1)?.timesMs.at(-1);
    return fromMs === undefined || toMs === undefined ? undefined : { fromMs, toMs };
  }

  /** The series of the last moment that had no room. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** Writes one moment: `write` gives the values. */
  async record<T>(timeMs: number, write: (sink: SampleSink) => Promise<T>): Promise<T> {
    return await this.#alone(async () => {
      if (this.#open.isFull) await inSlices(this.#close());
      this.#open.begin(timeMs);
      this.#leftOutNow = 0;
      const result = await write(this);
      this.#leftOut = this.#leftOutNow;
      return result;
    });
  }

  /** All samples and series between two moments. What comes later does not change them. */
  async content(): Promise<HistoryContent> {
    return await this.#alone(async () => {
      const open = await inSlices(this.#open.compressed(this.#index.end));
      return { segments: [...this.#segments, open], groups: this.#index.all() };
    });
  }

  /**
   * Adds a segment that is older than all others, before the first moment, if there is room.
   *
   * @param pieces those of the segment that exist.
   */
  *restore(pieces: readonly SegmentPiece[]): Generator<undefined, Segment | undefined> {
    const bytes = pieces.reduce((sum, piece) => sum + piece.bytes.length + 4 * piece.lengths.length, 0);
    if (this.sizeBytes + bytes > this.limits.maxBytes) return undefined;
    const segment = yield* joinPieces(pieces, (group) => {
      const number = this.numberOf(group);
      return number === NO_ROOM ? undefined : number;
    });
    this.#segments.unshift(segment);
    this.#segmentBytes += sizeOf(segment);
    return segment;
  }

  /** A moment without samples, immediately after the last one: from then on nothing is known. */
  end(): void {
    const { toMs } = this.time ?? {};
    if (toMs !== undefined) this.#open.begin(toMs + 1);
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#working.then(work);
    this.#working = result.catch(() => undefined);
    return await result;
  }

  get hasRoom(): boolean {
    return this.#open.sizeBytes + this.#index.sizeBytes < this.limits.maxBytes * SERIES_SHARE;
  }

  numberOf(group: SeriesGroup): number {
    const known = this.#index.find(group);
    if (known !== undefined) return known.first;
    if (!this.hasRoom) {
      this.leaveOut(group.parts.length);
      return NO_ROOM;
    }
    const { first } = this.#index.add(group);
    this.#open.fit(this.#index.end);
    return first;
  }

  write(number: number, value: number): void {
    this.#open.write(number, value);
  }

  writeExemplar(number: number, exemplar: SeriesExemplar): void {
    this.#exemplars.add(number, exemplar, this.#open.timesMs.at(-1) as number);
  }

  leaveOut(series: number): void {
    this.#leftOutNow += series;
  }

  *select(matchers: readonly Matcher[], time: TimeRange, budget: Budget): Steps<readonly HistorySeries[]> {
    const found: { readonly key: string; readonly stored: HistorySeries }[] = [];
    for (const group of yield* this.#candidates(matchers, budget)) {
      const common = labelsOf(readLabels(group.labels));
      for (const [index, { suffix, label }] of group.parts.entries()) {
        const number = group.first + index;
        if (budget.spend(SERIES_STEPS)) yield;
        if (!this.#hasSamples(number, time)) continue;
        const labels = merged(common, labelsOf([[METRIC_NAME, group.name + suffix], ...readLabels(label)]));
        if (!(yield* fitsAll(labels, matchers, budget))) continue;
        const stored: HistorySeries = {
          labels,
          samples: (of) => this.#samples(number, of),
          exemplars: (of) => this.#exemplars.of(number, of),
        };
        found.push({ key: keyOf(labels), stored });
        budget.checkSeries(found.length);
      }
    }
    return found.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ stored }) => stored);
  }

  /** The groups whose names may fit. */
  *#candidates(matchers: readonly Matcher[], budget: Budget): Steps<readonly NumberedGroup[]> {
    const ofName = matchers.filter(({ label }) => label === METRIC_NAME);
    const exact = ofName.find(({ operator }) => operator === '=');
    const groups: NumberedGroup[] = [];
    for (const name of exact === undefined ? this.#index.names() : namesOf(exact.text)) {
      if (yield* mayFit(name, ofName, budget)) for (const group of this.#index.groups(name)) groups.push(group);
      if (budget.spend(SERIES_STEPS)) yield;
    }
    return groups;
  }

  #hasSamples(number: number, { fromMs, toMs }: TimeRange): boolean {
    const [first = Infinity] = this.#open.timesMs;
    if (first <= toMs && this.#open.isWritten(number)) return true;
    return this.#segments.some((segment) => overlaps(segment, fromMs, toMs) && isIn(segment, number));
  }

  #samples(number: number, { fromMs, toMs }: TimeRange): Samples {
    const segments = this.#segments.filter((segment) => overlaps(segment, fromMs, toMs));
    const moments = segments.reduce((count, { timesMs }) => count + timesMs.length, this.#open.timesMs.length);
    const list = new SampleList({ fromMs, toMs }, moments);
    for (const segment of segments) visitSegment(segment, number, list);
    this.#open.visit(number, list);
    return list.finish();
  }

  /** Nothing is written meanwhile; queries meanwhile see the open segment. */
  *#close(): Generator<undefined, void> {
    const segment = yield* this.#open.compressed(this.#index.end);
    this.#open.clear();
    this.#segments.push(segment);
    this.#segmentBytes += sizeOf(segment);
    const since = (segment.timesMs.at(-1) as number) - this.limits.retentionMs;
    let isShorter = false;
    // The newest one shows which series are still written.
    while (this.#segments.length > 1 && (this.#isTooOld(since) || this.sizeBytes > this.limits.maxBytes)) {
      this.#segmentBytes -= sizeOf(this.#segments.shift() as Segment);
      isShorter = true;
    }
    if (isShorter) yield* this.#removeEnded();
  }

  #isTooOld(sinceMs: number): boolean {
    return (this.#segments[0]?.timesMs.at(-1) ?? Infinity) < sinceMs;
  }

  *#removeEnded(): Generator<undefined, void> {
    this.#index.reuseRemoved();
    for (const name of Array.from(this.#index.names())) {
      for (const group of Array.from(this.#index.groups(name))) {
        const isKept = group.parts.some((_, index) =>
          this.#segments.some((segment) => isIn(segment, group.first + index)),
        );
        if (isKept) continue;
        this.#index.remove(group);
        for (const index of group.parts.keys()) this.#exemplars.remove(group.first + index);
      }
      yield;
    }
  }
}

/** The names of groups that may have a series with this name. */
function namesOf(series: string): readonly string[] {
  const suffixes = SUFFIXES.filter((suffix) => series.endsWith(suffix));
  return suffixes.map((suffix) => series.slice(0, series.length - suffix.length));
}

function overlaps({ timesMs }: Segment, fromMs: number, toMs: number): boolean {
  return (timesMs[0] as number) <= toMs && (timesMs.at(-1) as number) >= fromMs;
}

function* mayFit(name: string, matchers: readonly Matcher[], budget: Budget): Steps<boolean> {
  for (const suffix of SUFFIXES) {
    if (yield* fitsAll(new Map([[METRIC_NAME, name + suffix]]), matchers, budget)) return true;
  }
  return false;
}
