import { readKeyValue, type AnyValue, type KeyValueMap } from '../../../../engine/otlp/any-value.ts';
import { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import { MAX_KEY_BYTES } from '../series/attribute-index.ts';
import { setDistribution } from './distribution.ts';
import type { DropReason, Drops } from './drops.ts';
import type { Family, FamilyTraits } from '../series/family.ts';
import { hashText } from '../series/hash-bytes.ts';
import { sampleText } from '../names/label-set.ts';
import { beganAfter, isBefore, overlaps } from './point-order.ts';
import { exponentialPoint, histogramPoint, numberPoint, type Point, type PointLayout } from './point.ts';
import { readExemplars } from './read-exemplars.ts';
import { readNativeHistogram } from './read-native-histogram.ts';
import { canonicalText, type Scope, type SeriesLabels } from '../names/series-labels.ts';
import type { SeriesMemory } from '../series/series-memory.ts';
import { TARGET_STREAM } from './target-info.ts';

/** The resource and scope of a point. */
export interface ScopeContext {
  readonly scope: Scope;
  readonly resource: KeyValueMap;
  readonly identity: number;
}

/** A metric of one sender, with everything its points have in common. */
export interface Stream {
  readonly context: ScopeContext;
  readonly layout: PointLayout;
  readonly delta: boolean;
  /** Distinguishes the senders of one series. */
  readonly identity: number;
  readonly wanted: FamilyTraits;
  /** The reason if none of its points can ever be shown. */
  readonly refused: DropReason | undefined;
  /** The family of its series, and its number in the attribute index. Both change if another metric takes the name. */
  family: Family | undefined;
  id: number;
}

/** Applies data points to their series, or drops them with a reason. */
export class Recorder {
  readonly #memory: SeriesMemory;
  readonly #labels: SeriesLabels;
  readonly #drops: Drops;
  #lastStream = TARGET_STREAM;

  constructor(memory: SeriesMemory, labels: SeriesLabels, drops: Drops) {
    this.#memory = memory;
    this.#labels = labels;
    this.#drops = drops;
  }

  drop(reason: DropReason, { wanted }: Stream): void {
    this.#drops.point(reason, wanted.name);
  }

  /**
   * Finds the stream's family. Call it before its points are recorded, and again when other requests may have run.
   *
   * @returns the reason if its points cannot be shown.
   */
  open(stream: Stream): DropReason | undefined {
    if (stream.refused !== undefined) return stream.refused;
    const { families } = this.#memory;
    if (stream.family !== undefined && families.holds(stream.family)) return undefined;
    stream.family = families.claim(stream.wanted);
    stream.id = ++this.#lastStream;
    return stream.family === undefined ? 'type_conflict' : undefined;
  }

  record(point: Point, stream: Stream, nowMs: number): void {
    const { attributes } = this.#memory;
    let entry = attributes.find(stream.id, point);
    if (point.noRecordedValue) return this.#withdraw(point, stream, entry);
    if (!point.hasValue) return this.drop('no_value', stream);
    if (entry < 0) entry = this.#introduce(point, stream);
    if (entry < 0) return;
    const row = attributes.rows[entry] as number;
    const sender = attributes.identities[entry] as number;
    const refused = this.#enter(point, row, sender, nowMs) ?? this.#set(point, row, stream, nowMs);
    if (refused !== undefined) this.drop(refused, stream);
  }

  /**
   * Assigns the row to the sender. A process that started after the last value takes over from its sender. A second
   * sender at the same time is refused, because a counter would jump between the two.
   */
  #enter(point: Point, row: number, sender: number, nowMs: number): DropReason | undefined {
    const { series } = this.#memory;
    if (!series.isLive(row)) {
      if (!this.#memory.mayShowMore()) return 'max_series';
    } else {
      if (series.owners[row] === sender) return undefined;
      if (!beganAfter(point, series, row) && !this.#memory.isSilent(row, nowMs)) return 'duplicate_series';
    }
    series.show(row, sender, nowMs);
    return undefined;
  }

  #set(point: Point, row: number, { layout, delta, wanted }: Stream, nowMs: number): DropReason | undefined {
    const { series } = this.#memory;
    if (isBefore(point, series, row) || (delta && overlaps(point, series, row))) return 'out_of_order';
    if (!this.#setValue(point, row, layout, delta)) return 'invalid_buckets';
    series.timeHigh[row] = point.timeHigh;
    series.timeLow[row] = point.timeLow;
    series.seenMs[row] = nowMs;
    if (point.exemplars.length > 0 && wanted.type !== 'gauge') {
      this.#memory.exemplars?.add(row, readExemplars(point), series.layouts[row]);
    }
    return undefined;
  }

  /** The start time of a count is that of its first delta, or the one that the sender reports. */
  #setValue(point: Point, row: number, layout: PointLayout, delta: boolean): boolean {
    const { series } = this.#memory;
    const begins = !delta || (series.timeHigh[row] === 0 && series.timeLow[row] === 0);
    const layoutBefore = series.layouts[row];
    if (layout === numberPoint) series.values[row] = delta ? (series.values[row] as number) + point.value : point.value;
    else if (!setDistribution(point, series, row, delta)) {
      if (layoutBefore === undefined) series.hide(row);
      return false;
    }
    const restarts = begins || series.layouts[row] !== layoutBefore;
    if (restarts) series.setStart(row, point);
    if (layout === exponentialPoint) this.#memory.nativeHistograms.set(row, readNativeHistogram(point), !restarts);
    else if (layout === histogramPoint) this.#memory.nativeHistograms.remove(row);
    return true;
  }

  /** A point without recorded value removes the series from the page, if it belongs to the same sender. */
  #withdraw(point: Point, stream: Stream, known: number): void {
    const { series, attributes } = this.#memory;
    const { row, identity } =
      known < 0
        ? this.#locate(point, stream)
        : { row: attributes.rows[known] as number, identity: attributes.identities[known] };
    if (row >= 0 && series.owners[row] === identity && !isBefore(point, series, row)) series.hide(row);
  }

  /** Adds an entry for new attribute bytes. They belong to a new series, or to a known one with the same labels. */
  #introduce(point: Point, stream: Stream): number {
    if (point.keyEnd - point.keyStart > MAX_KEY_BYTES) return this.#refuse('labels_too_long', stream);
    const { series, attributes } = this.#memory;
    const { row: existing, identity, text } = this.#locate(point, stream);
    if (text.length > MAX_KEY_BYTES) return this.#refuse('labels_too_long', stream);
    if (existing >= 0) return attributes.add(stream.id, point, { row: existing, identity });
    if (!this.#memory.hasRoom()) return this.#refuse('max_series', stream);
    return attributes.add(stream.id, point, { row: series.add(stream.family as Family, text), identity });
  }

  #refuse(reason: DropReason, stream: Stream): -1 {
    this.drop(reason, stream);
    return -1;
  }

  /** The row of the point's labels, or -1, with the identity of the sender and the label text. */
  #locate(point: Point, stream: Stream): { row: number; identity: number; text: Buffer } {
    const pointAttributes = attributesIn(point);
    const { scope, resource } = stream.context;
    const { name, type } = stream.wanted;
    const labels = this.#labels.ofSeries(pointAttributes, scope, resource, type).text();
    const text = Buffer.from(stream.layout === numberPoint ? `${sampleText(name, labels)} ` : labels);
    return {
      text,
      row: this.#memory.series.find(stream.family as Family, text),
      identity: hashText(stream.identity, canonicalText(pointAttributes)),
    };
  }
}

/** The attribute fields of a point, one after the other. Their tag differs by the type of the point. */
function attributesIn({ view, keyStart, keyEnd }: Point): KeyValueMap {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  const reader = new WireReader(bytes, keyStart, keyEnd);
  const attributes = new Map<string, AnyValue>();
  while (!reader.done) {
    reader.tag();
    readKeyValue(reader.message(), attributes);
  }
  return attributes;
}
