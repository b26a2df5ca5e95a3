import { decodeText } from '../../../engine/otlp/decode-text.ts';
import { fieldTags } from '../../../engine/otlp/schema.ts';
import { SpanFields } from '../../../engine/otlp/span-fields.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';
import type { unlinkedSpanReasons } from '../../../metrics/reasons.ts';
import type { Group } from './group.ts';
import { PickedAttributes } from '../../../engine/otlp/picked-attributes.ts';
import type { Resources } from './resources.ts';
import type { WantedKeys } from '../../../engine/otlp/wanted-keys.ts';

const REQUEST = fieldTags('ExportTraceServiceRequest');
const RESOURCE_SPANS = fieldTags('ResourceSpans');
const SCOPE_SPANS = fieldTags('ScopeSpans');
const STEP_SPANS = 128;
/** The clock of a span that ends later is wrong. */
const MAX_AHEAD_MS = 60_000;

/** Why a span that a rule applies to cannot be linked. */
type SpanDropReason = (typeof unlinkedSpanReasons)[number];

/** The spans that the groups of a resource want. */
interface Wanted {
  readonly groups: readonly Group[];
  /** One bit for each kind of span. */
  readonly kinds: number;
  readonly latestNs: number;
}

/** Remembers the spans that rules apply to. It decodes only what the rules compare, and only of senders with such metrics. */
export class SpanReading {
  readonly #resources: Resources;
  readonly #onDrop: (reason: SpanDropReason) => void;
  readonly #span = new SpanFields();
  readonly #picked = new PickedAttributes();

  constructor(resources: Resources, onDrop: (reason: SpanDropReason) => void) {
    this.#resources = resources;
    this.#onDrop = onDrop;
  }

  /** Reads one `ExportTraceServiceRequest`. Yields where other work may run. */
  *read(request: Uint8Array): Generator<undefined, undefined> {
    for (const reader = new WireReader(request); !reader.done;) {
      const tag = reader.tag();
      if (tag === REQUEST.resource_spans) yield* this.#resourceSpans(reader.message());
      else reader.skip(tag);
    }
  }

  *#resourceSpans(reader: WireReader): Generator<undefined> {
    const known = this.#resources.find(reader.allOf(RESOURCE_SPANS.resource));
    const groups = known?.groups.filter(({ hasOwnExemplars }) => !hasOwnExemplars) ?? [];
    if (groups.length === 0) return;
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === RESOURCE_SPANS.scope_spans) yield* this.#scopeSpans(reader.message(), groups);
      else reader.skip(tag);
    }
  }

  *#scopeSpans(reader: WireReader, groups: readonly Group[]): Generator<undefined> {
    const latestNs = (Date.now() + MAX_AHEAD_MS) * 1e6;
    const kinds = groups.reduce((bits, { rule }) => bits | rule.kinds, 0);
    while (!reader.done) {
      this.#someSpans(reader, { groups, kinds, latestNs });
      yield;
    }
  }

  #someSpans(reader: WireReader, { groups, kinds, latestNs }: Wanted): void {
    for (let fields = 0; fields < STEP_SPANS && !reader.done; fields++) {
      const tag = reader.tag();
      if (tag !== SCOPE_SPANS.spans) {
        reader.skip(tag);
        continue;
      }
      const end = reader.varint() + reader.position;
      if (this.#span.read(reader, end, kinds)) {
        for (const group of groups) if (((group.rule.kinds >> this.#span.kind) & 1) === 1) this.#offer(group, latestNs);
      }
      reader.position = end;
    }
  }

  #offer(group: Group, latestNs: number): void {
    const { rule } = group;
    const span = this.#span;
    if (rule.spanNames.size > 0 && !rule.spanNames.has(this.#name())) return;
    const hasRequired = this.#pick(rule.wanted);
    if (!hasRequired && !rule.takesAll) return;
    const reason = this.#flaw(latestNs) ?? group.add(span, this.#picked);
    if (reason === undefined) return;
    this.#onDrop(reason);
    // It may be the second span of a bucket in which another one seems to be the only one.
    if (reason !== 'late') group.doubt(Math.min(span.endNs, latestNs));
  }

  /** Picks the wanted attributes. @returns true if one of them is required. */
  #pick(wanted: WantedKeys): boolean {
    const { request, attributeCount, attributeStarts, attributeEnds } = this.#span;
    let hasRequired = false;
    this.#picked.clear(request);
    for (let i = 0; i < attributeCount; i++) {
      const start = attributeStarts[i] as number;
      const key = wanted.find(request, start);
      if (key === undefined) continue;
      if (key.isRequired) hasRequired = true;
      this.#picked.add(start, attributeEnds[i] as number);
    }
    return hasRequired;
  }

  #flaw(latestNs: number): SpanDropReason | undefined {
    const span = this.#span;
    const hasTimes = (span.startHigh > 0 || span.startLow > 0) && span.durationNs >= 0;
    if (!hasTimes || span.endNs > latestNs) return 'invalid_time';
    if (!span.hasIds) return 'invalid_ids';
    return span.hasMoreAttributes || this.#picked.isTooLong ? 'too_large' : undefined;
  }

  #name(): string {
    const { bytes, nameStart, nameEnd } = this.#span;
    return decodeText(bytes, nameStart, nameEnd);
  }
}
