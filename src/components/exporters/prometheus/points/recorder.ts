import { canonicalText, readKeyValue, type AnyValue, type KeyValueMap } from '../../../../engine/otlp/any-value.ts';
import { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import { MAX_KEY_BYTES } from '../series/attribute-index.ts';
import { setDistribution } from './distribution.ts';
import type { DropReason, Drops } from './drops.ts';
import type { Family, FamilyTraits } from '../series/family.ts';
import { hashText } from '../../../../engine/columns/hash-bytes.ts';
import { sampleText } from '../names/label-set.ts';
import { beganAfter, beginsInFuture, isBefore, wasClockSet, wasCounted } from './point-order.ts';
import { exponentialPoint, histogramPoint, numberPoint, type Point, type PointLayout } from './point.ts';
import { readExemplars } from './read-exemplars.ts';
import { readNativeHistogram } from './read-native-histogram.ts';
import type { Scope, SeriesLabels } from '../names/series-labels.ts';
import type { SeriesMemory } from '../series/series-memory.ts';
import type { Target } from '../series/targets.ts';
import { TARGET_STREAM, type SeenResource } from './target-info.ts';

/** The resource and scope of a point. */
export interface ScopeContext {
  readonly scope: Scope;
  readonly resource: SeenResource;
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
  /**
   * The family of its series, and its number in the attribute index. Both change if another metric takes the name. Absent
   * (`UNCLAIMED`) as long as the name has no series: names without series must not use memory.
   */
  family: Family | undefined;
  id: number;
}

/** The number of a stream without a family: the attribute index has no entry for it. */
export const UNCLAIMED = -1;

/** Applies data points to their series, or drops them with a reason. */
export class Recorder {
  readonly #memory: SeriesMemory;
  readonly #labels: SeriesLabels;
  readonly #drops: Drops;
  #lastStream = TARGET_STREAM;
  #writtenBytes = 0;

  constructor(memory: SeriesMemory, labels: SeriesLabels, drops: Drops) {
    this.#memory = memory;
    this.#labels = labels;
    this.#drops = drops;
  }

  /** The size of the labels that were rendered since the last call. A measure of the work. */
  takeWrittenBytes(): number {
    const bytes = this.#writtenBytes;
    this.#writtenBytes = 0;
    return bytes;
  }

  /**
   * Finds the stream's family. Call it before its points are recorded, and again when other requests may have run.
   *
   * @returns the reason if its points cannot be shown.
   */
  open(stream: Stream, nowMs: number): DropReason | undefined {
    if (stream.refused !== undefined) return stream.refused;
    const { families } = this.#memory;
    if (stream.family !== undefined && families.holds(stream.family)) return undefined;
    stream.family = undefined;
    stream.id = UNCLAIMED;
    if (families.find(stream.wanted) !== undefined) this.#claim(stream, nowMs);
    const claimant = { origin: targetOf(stream).origin, nowMs };
    return families.isFree(stream.wanted, claimant) ? undefined : 'type_conflict';
  }

  /** @returns the reason if the point is dropped. */
  record(point: Point, stream: Stream, nowMs: number): DropReason | undefined {
    const { attributes } = this.#memory;
    const known = attributes.find(stream.id, point);
    if (point.noRecordedValue) return this.#withdraw(point, stream, { known, nowMs });
    if (!point.hasValue) return 'no_value';
    const entry = known < 0 ? this.#introduce(point, stream, nowMs) : known;
    if (typeof entry === 'string') return entry;
    const row = attributes.rows[entry] as number;
    const sender = attributes.identities[entry] as number;
    return (
      this.#enter(point, row, { owner: sender, target: targetOf(stream), context: stream.context.identity }, nowMs) ??
      this.#set(point, row, stream, nowMs)
    );
  }

  /**
   * Assigns the row to the sender. A process that started after the last value takes over from its sender. A second
   * sender at the same time is refused, because a counter would jump between the two.
   */
  #enter(
    point: Point,
    row: number,
    sender: { readonly owner: number; readonly target: Target; readonly context: number },
    nowMs: number,
  ): DropReason | undefined {
    const { series } = this.#memory;
    if (!series.isLive(row)) {
      if (!this.#memory.mayShowMore(sender.target)) return 'max_series';
    } else {
      if (series.owners[row] === sender.owner) return undefined;
      if (!this.#mayTakeOver(point, row, sender.target, nowMs)) return 'duplicate_series';
    }
    series.show(row, sender, nowMs);
    this.#memory.exemplars?.remove(row);
    return undefined;
  }

  /** A start time in the future does not show which process is the newer one. A sender never takes a series of siphon's own. */
  #mayTakeOver(point: Point, row: number, target: Target, nowMs: number): boolean {
    const { series } = this.#memory;
    if (this.#memory.isSilent(row, nowMs)) return true;
    const owner = series.targets[row]?.origin;
    if (owner !== target.origin) return target.origin === 'own';
    return beganAfter(point, series, row) && !beginsInFuture(point, Date.now());
  }

  /**
   * True if a gauge comes from a resource or scope that has not sent it before, and without a start time that would
   * show which process is the newer one. Of two such senders the later one is the new process, or the same with another
   * attribute. The earlier one is refused from then on, so that the value does not jump between the two.
   */
  #replacesSender(point: Point, { delta, context, wanted }: Stream, row: number): boolean {
    const { series } = this.#memory;
    if (wanted.type !== 'gauge' || delta || point.startHigh !== 0 || point.startLow !== 0) return false;
    const { origin } = context.resource.target;
    if (origin === 'sent' && series.targets[row]?.origin === 'own') return false;
    return series.isLive(row) && series.contexts[row] !== context.identity && !isBefore(point, series, row);
  }

  #set(point: Point, row: number, stream: Stream, nowMs: number): DropReason | undefined {
    const { series } = this.#memory;
    const { delta, wanted } = stream;
    if (isBefore(point, series, row) && !this.#adoptClock(point, row, stream, nowMs)) return 'out_of_order';
    if (delta && wasCounted(point, series, row)) return 'out_of_order';
    const refused = this.#setValue(point, row, stream);
    if (refused !== undefined) return refused;
    series.timeHigh[row] = point.timeHigh;
    series.timeLow[row] = point.timeLow;
    series.seenMs[row] = nowMs;
    if (point.exemplars.length > 0 && wanted.type !== 'gauge') {
      const buckets = { layout: series.layouts[row], native: this.#memory.nativeHistograms.of(row) };
      this.#memory.exemplars?.add(row, readExemplars(point), buckets);
    }
    return undefined;
  }

  /**
   * True if the value of the row is later than the point because a clock was set back. Then the row continues at the time
   * of the point: a value that stays until the clock has caught up would be false.
   */
  #adoptClock(point: Point, row: number, { wanted }: Stream, nowMs: number): boolean {
    const { series } = this.#memory;
    if (!wasClockSet(point, series, row, nowMs)) return false;
    series.setStart(row, point);
    series.timeHigh[row] = 0;
    series.timeLow[row] = 1;
    this.#drops.clock(wanted.name);
    return true;
  }

  /** The start time of a count is that of its first delta, or the one that the sender reports. */
  #setValue(point: Point, row: number, stream: Stream): DropReason | undefined {
    const { series, nativeHistograms } = this.#memory;
    const { layout, delta } = stream;
    const begins = !delta || (series.timeHigh[row] === 0 && series.timeLow[row] === 0);
    const layoutBefore = series.layouts[row];
    if (layout === numberPoint) series.values[row] = delta ? (series.values[row] as number) + point.value : point.value;
    else {
      const refused = this.#setDistribution(point, row, stream);
      if (refused !== undefined) return refused;
    }
    const restarts = begins || series.layouts[row] !== layoutBefore;
    if (restarts) series.setStart(row, point);
    if (layout === histogramPoint) nativeHistograms.remove(row);
    if (layout === exponentialPoint) this.#setNativeHistogram(point, row, { stream, adds: !restarts });
    return undefined;
  }

  /** The exemplars of other bounds go: they would stand on buckets that they are not in. */
  #setDistribution(point: Point, row: number, stream: Stream): DropReason | undefined {
    const { series, exemplars } = this.#memory;
    const layoutBefore = series.layouts[row];
    const hasBytes = (onPage: number): boolean => this.#memory.hasBytes(targetOf(stream), onPage);
    const refused = setDistribution(point, series, row, { delta: stream.delta, hasBytes });
    if (refused !== undefined && layoutBefore === undefined) series.hide(row);
    if (series.layouts[row] !== layoutBefore) exemplars?.remove(row);
    return refused;
  }

  /**
   * If there is no memory for more buckets, the histogram is shown without them; also if Prometheus would refuse them,
   * because it would refuse the whole page.
   */
  #setNativeHistogram(point: Point, row: number, { stream, adds }: { stream: Stream; adds: boolean }): void {
    const { series, nativeHistograms } = this.#memory;
    if (nativeHistograms.of(row) === undefined && !this.#memory.hasBytes(targetOf(stream))) return;
    const isShown = nativeHistograms.set(row, readNativeHistogram(point), { adds, total: series.totalOf(row) });
    if (!isShown) this.#drops.buckets(stream.wanted.name);
  }

  /** A point without recorded value removes the series from the page, if it belongs to the same sender. */
  #withdraw(point: Point, stream: Stream, { known, nowMs }: { known: number; nowMs: number }): undefined {
    const { series, attributes } = this.#memory;
    const { row, identity } =
      known < 0
        ? this.#locate(point, stream)
        : { row: attributes.rows[known] as number, identity: attributes.identities[known] };
    if (row < 0 || series.owners[row] !== identity) return undefined;
    if (!isBefore(point, series, row) || wasClockSet(point, series, row, nowMs)) series.hide(row);
    return undefined;
  }

  /**
   * Adds an entry for new attribute bytes. They belong to a new series, or to a known one with the same labels.
   *
   * @returns the entry, or the reason for dropping the point.
   */
  #introduce(point: Point, stream: Stream, nowMs: number): number | DropReason {
    if (point.keyEnd - point.keyStart > MAX_KEY_BYTES) return 'labels_too_long';
    const { series, attributes } = this.#memory;
    const { row: existing, identity, text } = this.#locate(point, stream);
    if (text.length > MAX_KEY_BYTES) return 'labels_too_long';
    const target = targetOf(stream);
    if (existing >= 0) {
      if (this.#replacesSender(point, stream, existing)) series.hide(existing);
      if (!this.#memory.hasBytes(target)) attributes.removeRow(existing);
      return attributes.add(stream.id, point, { row: existing, identity });
    }
    const refused = this.#memory.refusesRow(target);
    if (refused !== undefined) return refused;
    const family = stream.family ?? this.#claim(stream, nowMs);
    if (family === undefined) return 'type_conflict';
    return attributes.add(stream.id, point, { row: series.add(family, text), identity });
  }

  #claim(stream: Stream, nowMs: number): Family | undefined {
    const claimant = { origin: targetOf(stream).origin, nowMs };
    stream.family = this.#memory.families.claim(stream.wanted, claimant);
    stream.id = ++this.#lastStream;
    return stream.family;
  }

  /** The row of the point's labels, or -1, with the identity of the sender and the label text. */
  #locate(point: Point, stream: Stream): { row: number; identity: number; text: Buffer } {
    const pointAttributes = attributesIn(point);
    const { scope, resource } = stream.context;
    const { name, type } = stream.wanted;
    const labels = this.#labels.ofSeries(pointAttributes, scope, resource.attributes, type).text();
    const text = Buffer.from(stream.layout === numberPoint ? `${sampleText(name, labels)} ` : labels);
    this.#writtenBytes += text.length;
    return {
      text,
      row: stream.family === undefined ? -1 : this.#memory.series.find(stream.family, text),
      identity: hashText(stream.identity, canonicalText(pointAttributes)),
    };
  }
}

/** The target that pays for the series of the stream. */
function targetOf({ context }: Stream): Target {
  return context.resource.target;
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
