/**
 * Keeps the latest samples of series, so that they can be queried. The role `history` of an extension; an exporter that
 * holds series refers to one under `history`.
 */
export interface MetricHistory {
  /** From now on, until the result is disposed of, asks the source for its values at each interval. */
  follow(source: SampleSource): Disposable;
}

export interface SampleSource {
  /** Writes the current value of each series, in slices. A series that is not written has ended. */
  sample(sink: SampleSink): Promise<void>;
  /** The metrics of the series. */
  metadata(): readonly MetricMetadata[];
}

export interface MetricMetadata {
  readonly name: string;
  /** The name that Prometheus has for it. */
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown';
  readonly help: string;
}

/** Where a source writes its values. A series has a number, so that a value costs no search. */
export interface SampleSink {
  /**
   * The number of the first series of the group; the others follow. The same group has the same number as long as it is
   * written at each interval.
   *
   * @returns `NO_ROOM` if it does not fit into the limit. Its series are counted as left out.
   */
  numberOf(group: SeriesGroup): number;
  /** The value of the series at the current interval. */
  write(number: number, value: number): void;
  /** An exemplar that the series has now. The same object at the next intervals is the same exemplar. */
  writeExemplar(number: number, exemplar: SeriesExemplar): void;
  /** Counts series that are still left out; they can be tried again when `hasRoom` is true. */
  leaveOut(series: number): void;
  readonly hasRoom: boolean;
}

/** An observation with its trace. */
export interface SeriesExemplar {
  readonly value: number;
  /** Unix time in nanoseconds; 0 for unknown. */
  readonly timeNs: bigint;
  /** Hexadecimal digits. */
  readonly traceId: string;
  /** Hexadecimal digits; empty for none. */
  readonly spanId: string;
}

export const NO_ROOM = -1;

/** Series with common labels: those of a histogram or summary, or a single one. */
export interface SeriesGroup {
  readonly name: string;
  /** `name="value",…` as in the text format; may be empty. */
  readonly labels: string;
  /** The same object for groups with the same parts saves memory. */
  readonly parts: readonly SeriesPart[];
}

export interface SeriesPart {
  /** It follows the name; empty for none. */
  readonly suffix: '' | '_bucket' | '_sum' | '_count';
  /** A label in addition, such as `le="0.5"`; empty for none. */
  readonly label: string;
}

export const SINGLE: readonly SeriesPart[] = [{ suffix: '', label: '' }];
