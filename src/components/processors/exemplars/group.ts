import { viewOf } from '../../../engine/columns/hash-bytes.ts';
import type { CompiledRule } from './rules.ts';
import { Series, type Profile } from './series.ts';
import type { SpanBytes, WaitingSpans } from './waiting-spans.ts';
import { attributesIn, type PickedAttributes } from '../../../engine/otlp/picked-attributes.ts';
import type { PointFields } from './point-fields.ts';
import { isAt } from '../../../engine/otlp/wanted-keys.ts';

/** Points whose times differ by less belong to one export. */
const ONE_EXPORT_NS = 500_000_000;
/** How far the end of a span may be from the time of its measurement. */
export const TIME_TOLERANCE_NS = 50_000_000;
/** A group with more sets of attributes begins again. */
const MAX_SETS = 2000;
/** Different sets with one hash. More than that are prepared by somebody. */
const MAX_CHAIN = 8;
/** Series, or sets of spans, with one identity: all of them are compared. */
const MAX_PEERS = 200;

/** The series and the spans with one identity. */
interface Peers {
  readonly series: Series[];
  readonly profiles: Profile[];
}

/** All groups share it. */
export interface GroupSpace {
  readonly spans: WaitingSpans;
  /** How many more sets of attributes of spans and series may be remembered. */
  setsLeft: number;
}

/** Why a span was not remembered. `late`: its interval is over. */
export type SpanRefusal = 'max_spans' | 'max_series' | 'late';

/** The metric of a rule in one resource: its series, and the spans that wait for their points. */
export class Group {
  readonly rule: CompiledRule;
  /** When the last point arrived, as `performance.now()`. */
  seenMs = 0;
  /** True if the sender has exemplars of its own. Then it needs no others. */
  hasOwnExemplars = false;
  readonly #space: GroupSpace;
  readonly #series = new Map<string, Series>();
  #inOrder: Series[] = [];
  #predicted = 0;
  readonly #profiles = new Map<number, Profile[]>();
  #profileCount = 0;
  readonly #peers = new Map<string, Peers>();
  #spanCount = 0;
  #lastNs: number;
  #previousNs: number;
  /** Spans that ended until then are not remembered any more. */
  #releasedUntilNs: number;
  #doubtfulUntilNs = 0;

  /** @param timeNs the time of its first point. Spans that ended before were not remembered. */
  constructor(rule: CompiledRule, space: GroupSpace, timeNs: number) {
    this.rule = rule;
    this.#space = space;
    this.#lastNs = timeNs;
    this.#previousNs = timeNs;
    this.#releasedUntilNs = timeNs;
  }

  /** Spans that ended until then are missing, or a part of them. */
  get incompleteUntilNs(): number {
    return Math.max(this.#releasedUntilNs, this.#doubtfulUntilNs);
  }

  /** Notes the time of a point. The spans of intervals that are over make room. */
  advance(timeNs: number): void {
    if (timeNs < this.#lastNs - ONE_EXPORT_NS) return this.#beginAgain(timeNs);
    if (timeNs <= this.#lastNs + ONE_EXPORT_NS) return;
    this.#release(this.#previousNs - TIME_TOLERANCE_NS);
    this.#previousNs = this.#lastNs;
    this.#lastNs = timeNs;
  }

  /** Something is not known that belongs to this time: for an interval that contains it, nothing is certain. */
  doubt(timeNs: number): void {
    this.#doubtfulUntilNs = Math.max(this.#doubtfulUntilNs, timeNs + TIME_TOLERANCE_NS);
  }

  /**
   * The series of a point. Points usually come in the same order as before, so the series after the last result is tried
   * first.
   *
   * @returns undefined if there is no room for another one.
   */
  seriesOf(scope: string, point: PointFields): Series | undefined {
    const { request, attributesStart: start, attributesEnd: end } = point;
    const predicted = this.#inOrder[this.#predicted];
    const isPredicted = predicted?.key.byteLength === end - start && predicted.scope === scope;
    const series = isPredicted && isAt(predicted.key, request, start) ? predicted : this.#findSeries(scope, point);
    if (series !== undefined) this.#predicted = series.index + 1 < this.#inOrder.length ? series.index + 1 : 0;
    return series;
  }

  /** Remembers a span until its interval is over. @returns the reason if it does not. */
  add(span: SpanBytes, attributes: PickedAttributes): SpanRefusal | undefined {
    const endNs = span.endHigh * 4_294_967_296 + span.endLow;
    if (endNs <= this.#releasedUntilNs) return 'late';
    const { spans } = this.#space;
    // One half of the free room is for others.
    if (this.#spanCount >= spans.free) return 'max_spans';
    const profile = this.#profileOf(attributes);
    if (profile === undefined) return 'max_series';
    spans.add(profile, span);
    this.#spanCount++;
    return undefined;
  }

  /** Forgets everything. */
  clear(): void {
    this.#release(Infinity);
    this.#space.setsLeft += this.#profileCount + this.#series.size;
    this.#profiles.clear();
    this.#profileCount = 0;
    this.#peers.clear();
    this.#series.clear();
    this.#inOrder = [];
    this.#predicted = 0;
  }

  #beginAgain(timeNs: number): void {
    this.clear();
    this.#lastNs = timeNs;
    this.#previousNs = timeNs;
    this.#releasedUntilNs = timeNs;
    this.#doubtfulUntilNs = timeNs + TIME_TOLERANCE_NS;
  }

  #release(untilNs: number): void {
    for (const profiles of this.#profiles.values()) {
      for (const profile of profiles) this.#spanCount -= this.#space.spans.release(profile, untilNs);
    }
    if (untilNs < Infinity) this.#releasedUntilNs = Math.max(this.#releasedUntilNs, untilNs);
  }

  #hasRoomForSet(): boolean {
    if (this.#profileCount + this.#series.size >= MAX_SETS || this.#space.setsLeft <= 0) this.#beginAgain(this.#lastNs);
    return this.#space.setsLeft > 0;
  }

  #findSeries(scope: string, { request, attributesStart, attributesEnd }: PointFields): Series | undefined {
    const { buffer, byteOffset } = request;
    const bytes = new Uint8Array(buffer.slice(byteOffset + attributesStart, byteOffset + attributesEnd));
    const text = `${scope} ${Buffer.from(bytes.buffer).toString('latin1')}`;
    const found = this.#series.get(text);
    if (found !== undefined || !this.#hasRoomForSet()) return found;
    const attributes = attributesIn(bytes);
    const peers = this.#peersOf(attributes);
    if (peers.series.length >= MAX_PEERS) return undefined;
    // It has no measurement in the export before.
    const series = new Series({ key: viewOf(bytes), scope, index: this.#inOrder.length, attributes }, this.#previousNs);
    this.#series.set(text, series);
    this.#inOrder.push(series);
    this.#space.setsLeft--;
    peers.series.push(series);
    for (const profile of peers.profiles) this.#relate(profile, series);
    return series;
  }

  #profileOf(attributes: PickedAttributes): Profile | undefined {
    const known = this.#profiles.get(attributes.hash);
    if (known !== undefined) for (const profile of known) if (attributes.equals(profile.key)) return profile;
    return this.#addProfile(attributes);
  }

  #addProfile(picked: PickedAttributes): Profile | undefined {
    if (!this.#hasRoomForSet()) return undefined;
    const chain = this.#profiles.get(picked.hash) ?? [];
    if (chain.length >= MAX_CHAIN) return undefined;
    const attributes = picked.texts();
    const peers = this.#peersOf(attributes);
    if (peers.profiles.length >= MAX_PEERS) return undefined;
    const profile: Profile = { first: -1, key: picked.copy(), attributes, compatible: [] };
    chain.push(profile);
    this.#profiles.set(picked.hash, chain);
    this.#profileCount++;
    this.#space.setsLeft--;
    peers.profiles.push(profile);
    for (const series of peers.series) this.#relate(profile, series);
    return profile;
  }

  #peersOf(attributes: ReadonlyMap<string, string>): Peers {
    const identity = this.rule.identity(attributes);
    let peers = this.#peers.get(identity);
    if (peers === undefined) {
      peers = { series: [], profiles: [] };
      this.#peers.set(identity, peers);
    }
    return peers;
  }

  #relate(profile: Profile, series: Series): void {
    const relation = this.rule.compare(series.attributes, profile.attributes);
    if (relation === 'different') return;
    profile.compatible.push(series);
    if (relation === 'equal') series.profiles.push(profile);
  }
}
