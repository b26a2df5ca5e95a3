import { canonicalText, readKeyValue, type AnyValue, type KeyValueMap } from '../../../../engine/otlp/any-value.ts';
import { fieldTags, temporalities } from '../../../../engine/otlp/schema.ts';
import { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import { MAX_KEY_BYTES } from '../series/attribute-index.ts';
import { hashText } from '../../../../engine/columns/hash-bytes.ts';
import { metricName, unitText } from '../names/metric-name.ts';
import { shownAs, type MetricType } from '../names/metric-type.ts';
import type { Naming } from '../names/naming.ts';
import { exponentialPoint, histogramPoint, numberPoint, Point, summaryPoint, type PointLayout } from './point.ts';
import type { DropReason, RequestDrops } from './drops.ts';
import { UNCLAIMED, type Recorder, type ScopeContext, type Stream } from './recorder.ts';
import { targetOf } from '../names/series-labels.ts';
import type { Origin, Target, Targets } from '../series/targets.ts';
import type { SeenResource, TargetInfo } from './target-info.ts';

const REQUEST = fieldTags('ExportMetricsServiceRequest');
const RESOURCE_METRICS = fieldTags('ResourceMetrics');
const SCOPE_METRICS = fieldTags('ScopeMetrics');
const RESOURCE = fieldTags('Resource');
const SCOPE = fieldTags('InstrumentationScope');
const METRIC = fieldTags('Metric');
/** The tags of a sum's fields. The data of the other types has the same fields, or fewer. */
const DATA = fieldTags('Sum');

/** The type and layout for each tag of a metric's data. */
const TYPES: ReadonlyMap<number, { readonly type: MetricType; readonly layout: PointLayout }> = new Map([
  [METRIC.gauge, { type: 'gauge', layout: numberPoint }],
  [METRIC.sum, { type: 'non_monotonic', layout: numberPoint }],
  [METRIC.histogram, { type: 'histogram', layout: histogramPoint }],
  [METRIC.exponential_histogram, { type: 'histogram', layout: exponentialPoint }],
  [METRIC.summary, { type: 'summary', layout: summaryPoint }],
]);

/** Beyond this size, all cached resources, scopes and streams are removed. The next requests create them again. */
const MAX_CONTEXT_BYTES = 32 * 1024 * 1024;
/** An estimate of the memory of the objects behind one key. */
const OBJECT_BYTES = 512;
/** How often a name, and attributes, are in memory. */
const NAME_COPIES = 3;
const ATTRIBUTE_COPIES = 6;
const MAX_NAME_BYTES = 4096;
/** The work between two pauses: fields and points, and in addition one for every `BYTES_A_UNIT`. */
const WORK_A_STEP = 64;
const BYTES_A_UNIT = 256;
/** A real histogram with the most buckets that are shown needs 16 KiB. */
const MAX_POINT_BYTES = 1024 * 1024;
/** The key of all resources, or all scopes, that are too long to become labels. No encoded message begins like this. */
const TOO_LONG = 'labels_too_long';

/** Points are only skipped over here. */
const TRAITS_STEP_BYTES = 256 * 1024;
const NOTHING: Uint8Array = new Uint8Array(0);

interface Scoped extends ScopeContext {
  /** The reason if no point of the scope can be shown. */
  readonly refused: DropReason | undefined;
  readonly streams: Map<string, Stream>;
}

interface Resource extends SeenResource {
  readonly scopes: Map<string, Scoped>;
  target: Target;
  /** An estimate of the memory of the resource, its scopes and its streams. */
  bytes: number;
  /** When it was last sent. */
  seenMs: number;
  isCached: boolean;
}

/** The clock of the exporter, in milliseconds, as `performance.now`. */
export type Clock = () => number;

export interface RequestSource {
  readonly origin: Origin;
  readonly drops: RequestDrops;
  readonly clock: Clock;
}

/** A request that is being read. Several requests may be read in turns; each has its own. */
class RunningRequest {
  readonly point: Point;
  readonly origin: Origin;
  readonly drops: RequestDrops;
  /** Arrival time of the points that are read now. */
  nowMs: number;
  readonly #clock: Clock;

  constructor(bytes: Uint8Array, { origin, drops, clock }: RequestSource) {
    this.point = new Point(bytes);
    this.origin = origin;
    this.drops = drops;
    this.#clock = clock;
    this.nowMs = clock();
  }

  /** To be called after each pause. */
  resume(): void {
    this.nowMs = this.#clock();
  }
}

/**
 * Reads `ExportMetricsServiceRequest`s and passes each point to the recorder, with its stream. Resources, scopes and
 * streams are cached by their bytes.
 */
export class PointReader {
  readonly #recorder: Recorder;
  readonly #targetInfo: TargetInfo;
  readonly #targets: Targets;
  readonly #naming: Naming;
  readonly #resources: Readonly<Record<Origin, Map<string, Resource>>> = { own: new Map(), sent: new Map() };
  #contextBytes = 0;
  #workUntilYield = WORK_A_STEP;

  constructor(
    recorder: Recorder,
    { targetInfo, targets }: { readonly targetInfo: TargetInfo; readonly targets: Targets },
    naming: Naming,
  ) {
    this.#recorder = recorder;
    this.#targetInfo = targetInfo;
    this.#targets = targets;
    this.#naming = naming;
  }

  /** Records the points of one request. Yields where other work may run, also other calls of `take`. */
  *take(chunk: Uint8Array, source: RequestSource): Generator<undefined, undefined> {
    const request = new RunningRequest(chunk, source);
    for (const reader = new WireReader(chunk); !reader.done;) {
      const tag = reader.tag();
      if (tag === REQUEST.resource_metrics) yield* this.#resourceMetrics(reader.message(), request);
      else reader.skip(tag);
      if (this.#isDue()) yield;
    }
  }

  *#resourceMetrics(reader: WireReader, request: RunningRequest): Generator<undefined, undefined> {
    const { position } = reader;
    const key = keyOf(yield* this.#joined(reader, RESOURCE_METRICS.resource));
    const known = this.#resources[request.origin].get(key);
    const resource = known ?? (yield* this.#newResource(key, request));
    request.resume();
    resource.seenMs = request.nowMs;
    resource.target = this.#targetOf(resource.attributes, request);
    this.#targetInfo.seen(resource, { nowMs: request.nowMs, isNew: known === undefined });
    reader.position = position;
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === RESOURCE_METRICS.scope_metrics) yield* this.#scopeMetrics(reader.message(), resource, request);
      else reader.skip(tag);
      if (this.#isDue()) yield;
    }
  }

  /** Forgets resources that have not been sent since then, with their scopes and streams. */
  forget(seenSinceMs: number): void {
    for (const resources of Object.values(this.#resources)) {
      for (const [key, resource] of resources) {
        if (resource.seenMs >= seenSinceMs) continue;
        resources.delete(key);
        resource.isCached = false;
        this.#contextBytes -= resource.bytes;
      }
    }
  }

  *#newResource(key: string, request: RunningRequest): Generator<undefined, Resource> {
    const attributes = attributesOf(readerOf(key), RESOURCE.attributes);
    yield;
    request.resume();
    const resource: Resource = {
      attributes,
      canonical: key === TOO_LONG ? TOO_LONG : canonicalText(attributes),
      target: this.#targetOf(attributes, request),
      scopes: new Map(),
      bytes: 0,
      seenMs: request.nowMs,
      isCached: true,
    };
    this.#remember(this.#resources[request.origin], key, {
      context: resource,
      resource,
      bytes: key.length * ATTRIBUTE_COPIES,
    });
    yield;
    return resource;
  }

  #targetOf(attributes: KeyValueMap, { origin, nowMs }: RunningRequest): Target {
    const { job, instance } = targetOf(attributes);
    return this.#targets.seen(job, instance, { origin, nowMs });
  }

  *#scopeMetrics(reader: WireReader, resource: Resource, request: RunningRequest): Generator<undefined, undefined> {
    const { position } = reader;
    const scopeKey = keyOf(yield* this.#joined(reader, SCOPE_METRICS.scope));
    reader.position = position;
    const urlKey = keyOf(yield* this.#last(reader, SCOPE_METRICS.schema_url));
    const isTooLong = [resource.canonical, scopeKey, urlKey].includes(TOO_LONG);
    const [bytes, schemaUrl] = isTooLong ? [TOO_LONG, ''] : [scopeKey, utf8(urlKey)];
    const key = `${bytes}\n${schemaUrl}`;
    let scope = resource.scopes.get(key);
    if (scope === undefined) {
      const [name, version] = isTooLong ? ['', ''] : [SCOPE.name, SCOPE.version].map((tag) => textIn(bytes, tag));
      const attributes = attributesOf(readerOf(bytes), SCOPE.attributes);
      const identity = [request.origin, resource.canonical, name, version, schemaUrl, canonicalText(attributes)];
      scope = {
        scope: { name: name!, version: version!, schemaUrl, attributes },
        resource,
        refused: isTooLong ? 'labels_too_long' : undefined,
        identity: hashText(0, JSON.stringify(identity)),
        streams: new Map(),
      };
      this.#remember(resource.scopes, key, { context: scope, resource, bytes: key.length * ATTRIBUTE_COPIES });
      yield;
    }
    reader.position = position;
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === SCOPE_METRICS.metrics) yield* this.#metric(reader.message(), { scope, resource }, request);
      else reader.skip(tag);
      if (this.#isDue()) yield;
    }
  }

  *#metric(
    reader: WireReader,
    { scope, resource }: { readonly scope: Scoped; readonly resource: Resource },
    request: RunningRequest,
  ): Generator<undefined, undefined> {
    let name = NOTHING;
    let unit = NOTHING;
    let help = NOTHING;
    let dataTag = 0;
    let [start, end] = [0, 0];
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === METRIC.name) name = reader.bytes();
      else if (tag === METRIC.description) help = reader.bytes();
      else if (tag === METRIC.unit) unit = reader.bytes();
      else if (TYPES.has(tag)) {
        dataTag = tag;
        end = reader.varint();
        start = reader.position;
        end += start;
        reader.position = end;
      } else reader.skip(tag);
      if (this.#isDue()) yield;
    }
    if (start === end) return;
    const data = new WireReader(reader.buffer, start, end);
    const traits = yield* this.#traitsOf(data);
    const [nameKey, unitKey] = [shortened(name), shortened(unit)];
    const key = `${dataTag}${traits}${unitKey}\n${nameKey}`;
    let stream = scope.streams.get(key);
    if (stream === undefined) {
      const text = { name: utf8(nameKey), unit: utf8(unitKey), help: utf8(shortened(help)) };
      stream = this.#stream(text, [dataTag, traits >> 1, traits & 1], scope);
      const bytes = key.length * NAME_COPIES + stream.wanted.help.length * 2;
      this.#remember(scope.streams, key, { context: stream, resource, bytes });
    }
    yield* this.#points(data, stream, request);
  }

  #stream(
    { name, unit, help }: Readonly<Record<'name' | 'unit' | 'help', string>>,
    [dataTag, temporality, monotonic]: readonly [number, number, number],
    context: Scoped,
  ): Stream {
    const { type: ofData, layout } = TYPES.get(dataTag) as { type: MetricType; layout: PointLayout };
    const isSum = dataTag === METRIC.sum;
    const type = isSum && monotonic === 1 ? 'counter' : ofData;
    const isLong = name.length + unit.length + help.length > MAX_NAME_BYTES;
    const translated = isLong ? undefined : metricName(name, unit, type, this.#naming);
    const isKnown = !isSum || temporality === temporalities.delta || temporality === temporalities.cumulative;
    return {
      context,
      layout,
      delta: temporality === temporalities.delta,
      identity: hashText(context.identity, name),
      wanted: {
        name: translated ?? name.slice(0, 100),
        type: shownAs(type),
        help: isLong ? '' : help,
        unit: isLong ? '' : unitText(unit),
      },
      refused: context.refused ?? (translated === undefined ? 'invalid_name' : isKnown ? undefined : 'unsupported'),
      id: UNCLAIMED,
      family: undefined,
    };
  }

  *#points(data: WireReader, stream: Stream, request: RunningRequest): Generator<undefined> {
    const { point, drops } = request;
    const recorder = this.#recorder;
    let unshown = recorder.open(stream, request.nowMs);
    const { layout } = stream;
    while (!data.done) {
      const tag = data.tag();
      if (tag !== DATA.data_points) {
        data.skip(tag);
        continue;
      }
      const start = data.position;
      const end = data.varint() + data.position;
      let refused: DropReason | undefined = unshown ?? 'too_large';
      if (unshown === undefined && end - start <= MAX_POINT_BYTES) {
        point.read(data.position, end, layout);
        refused = recorder.record(point, stream, request.nowMs);
      }
      if (refused !== undefined) drops.point(refused, stream.wanted.name);
      data.position = end;
      if (!this.#isDue(end - start + recorder.takeWrittenBytes())) continue;
      yield;
      request.resume();
      unshown = recorder.open(stream, request.nowMs);
    }
  }

  /** Temporality × 2 + monotonic. Writers put these fields after the points. Keeps the reader's position. */
  *#traitsOf(data: WireReader): Generator<undefined, number> {
    const { buffer, position, end } = data;
    let temporality = 0;
    let monotonic = 0;
    while (data.position < end) {
      const until = Math.min(end, data.position + TRAITS_STEP_BYTES);
      while (data.position < until && buffer[data.position] === DATA.data_points) {
        data.position++;
        const length = data.varint();
        data.position += length;
      }
      while (data.position < until) {
        const tag = data.tag();
        if (tag === DATA.aggregation_temporality) temporality = data.varint();
        else if (tag === DATA.is_monotonic) monotonic = data.varint() === 0 ? 0 : 1;
        else data.skip(tag);
      }
      if (data.position < end) yield;
    }
    data.position = position;
    return (temporality & 3) * 2 + monotonic;
  }

  /** A field of a block; empty if it is absent. */
  *#last(parent: WireReader, wanted: number): Generator<undefined, Uint8Array> {
    let value = NOTHING;
    while (!parent.done) {
      const tag = parent.tag();
      if (tag === wanted) value = parent.bytes();
      else parent.skip(tag);
      if (this.#isDue()) yield;
    }
    return value;
  }

  /** A message in a block; empty if it is absent. Several messages of one field are one: their bytes together. */
  *#joined(parent: WireReader, wanted: number): Generator<undefined, Uint8Array> {
    const parts: Uint8Array[] = [];
    let length = 0;
    while (!parent.done) {
      const tag = parent.tag();
      if (tag === wanted) {
        const part = parent.bytes();
        // Longer ones are not read.
        if (length <= MAX_KEY_BYTES) parts.push(part);
        length += part.length;
      } else parent.skip(tag);
      if (this.#isDue()) yield;
    }
    return parts.length > 1 ? Buffer.concat(parts) : (parts[0] ?? NOTHING);
  }

  /** Counts a field or point. True if other work may run now. */
  #isDue(bytes = 0): boolean {
    this.#workUntilYield -= 1 + Math.floor(bytes / BYTES_A_UNIT);
    if (this.#workUntilYield > 0) return false;
    this.#workUntilYield = WORK_A_STEP;
    return true;
  }

  /** Counts the size of everything that is cached, because senders choose the keys. */
  #remember<T>(
    map: Map<string, T>,
    key: string,
    { context, resource, bytes }: { context: T; resource: Resource; bytes: number },
  ): void {
    // The request that is being read still holds contexts that were removed. They must not grow.
    if (!resource.isCached) return;
    map.set(key, context);
    resource.bytes += bytes + OBJECT_BYTES;
    this.#contextBytes += bytes + OBJECT_BYTES;
    if (this.#contextBytes > MAX_CONTEXT_BYTES) this.forget(Infinity);
  }
}

function attributesOf(reader: WireReader, tag: number): KeyValueMap {
  const attributes = new Map<string, AnyValue>();
  while (!reader.done) {
    const field = reader.tag();
    if (field === tag) readKeyValue(reader.message(), attributes);
    else reader.skip(field);
  }
  return attributes;
}

/** One character for each byte: a cheap key. */
function keyOf(bytes: Uint8Array): string {
  return bytes.length > MAX_KEY_BYTES ? TOO_LONG : latin1(bytes);
}

/** A name that is too long stays too long. */
function shortened(bytes: Uint8Array): string {
  return latin1(bytes.length > MAX_NAME_BYTES ? bytes.subarray(0, MAX_NAME_BYTES + 1) : bytes);
}

/** The last text of a field. */
function textIn(message: string, wanted: number): string {
  let text = NOTHING;
  for (const reader = readerOf(message); !reader.done;) {
    const tag = reader.tag();
    if (tag === wanted) text = reader.bytes();
    else reader.skip(tag);
  }
  return Buffer.from(text).toString();
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function readerOf(bytes: string): WireReader {
  if (bytes === TOO_LONG) return new WireReader(NOTHING);
  return new WireReader(Buffer.from(bytes, 'latin1'));
}

function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}
