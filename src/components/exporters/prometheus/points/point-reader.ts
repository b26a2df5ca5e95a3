import { readKeyValue, type AnyValue, type KeyValueMap } from '../../../../engine/otlp/any-value.ts';
import { fieldTags, temporalities } from '../../../../engine/otlp/schema.ts';
import { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import { hashText } from '../series/hash-bytes.ts';
import { metricName, unitText } from '../names/metric-name.ts';
import { shownAs, type MetricType } from '../names/metric-type.ts';
import type { Naming } from '../names/naming.ts';
import { exponentialPoint, histogramPoint, numberPoint, Point, summaryPoint, type PointLayout } from './point.ts';
import type { Recorder, ScopeContext, Stream } from './recorder.ts';
import { canonicalText } from '../names/series-labels.ts';
import type { TargetInfo } from './target-info.ts';

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
const MAX_CONTEXT_BYTES = 64 * 1024 * 1024;
/** An estimate of the memory of the objects behind one key. */
const OBJECT_BYTES = 512;
const MAX_NAME_BYTES = 4096;
const POINTS_A_STEP = 64;

interface Scoped extends ScopeContext {
  readonly streams: Map<string, Stream>;
}

interface Resource {
  readonly attributes: KeyValueMap;
  readonly canonical: string;
  readonly scopes: Map<string, Scoped>;
}

/** The clock of the exporter, in milliseconds, as `performance.now`. */
export type Clock = () => number;

/** A request that is being read. Several requests may be read in turns; each has its own. */
class RunningRequest {
  readonly point: Point;
  /** Arrival time of the points that are read now. */
  nowMs: number;
  readonly #clock: Clock;

  constructor(bytes: Uint8Array, clock: Clock) {
    this.point = new Point(bytes);
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
  readonly #targets: TargetInfo;
  readonly #naming: Naming;
  readonly #resources = new Map<string, Resource>();
  #contextBytes = 0;
  #untilYield = POINTS_A_STEP;

  constructor(recorder: Recorder, targets: TargetInfo, naming: Naming) {
    this.#recorder = recorder;
    this.#targets = targets;
    this.#naming = naming;
  }

  /** Records the points of one request. Yields where other work may run, also other calls of `take`. */
  *take(chunk: Uint8Array, clock: Clock): Generator<undefined> {
    const request = new RunningRequest(chunk, clock);
    for (const reader of messages(new WireReader(chunk), REQUEST.resource_metrics)) {
      yield* this.#resourceMetrics(reader, request);
    }
  }

  *#resourceMetrics(reader: WireReader, request: RunningRequest): Generator<undefined> {
    const { position } = reader;
    const key = textOf(reader, RESOURCE_METRICS.resource);
    let resource = this.#resources.get(key);
    if (resource === undefined) {
      const attributes = attributesOf(readerOf(key), RESOURCE.attributes);
      resource = { attributes, canonical: canonicalText(attributes), scopes: new Map() };
      this.#remember(this.#resources, key, resource);
    }
    this.#targets.seen(resource.attributes, resource.canonical, request.nowMs);
    reader.position = position;
    for (const scopeMetrics of messages(reader, RESOURCE_METRICS.scope_metrics)) {
      yield* this.#scopeMetrics(scopeMetrics, resource, request);
    }
  }

  *#scopeMetrics(reader: WireReader, resource: Resource, request: RunningRequest): Generator<undefined> {
    const { position } = reader;
    const bytes = textOf(reader, SCOPE_METRICS.scope);
    reader.position = position;
    const schemaUrl = utf8(textOf(reader, SCOPE_METRICS.schema_url));
    const key = `${bytes}\n${schemaUrl}`;
    let scope = resource.scopes.get(key);
    if (scope === undefined) {
      const name = utf8(textOf(readerOf(bytes), SCOPE.name));
      const version = utf8(textOf(readerOf(bytes), SCOPE.version));
      const attributes = attributesOf(readerOf(bytes), SCOPE.attributes);
      const identity = [resource.canonical, name, version, schemaUrl, canonicalText(attributes)];
      scope = {
        scope: { name, version, schemaUrl, attributes },
        resource: resource.attributes,
        identity: hashText(0, JSON.stringify(identity)),
        streams: new Map(),
      };
      this.#remember(resource.scopes, key, scope);
    }
    reader.position = position;
    for (const metric of messages(reader, SCOPE_METRICS.metrics)) yield* this.#metric(metric, scope, request);
  }

  *#metric(reader: WireReader, scope: Scoped, request: RunningRequest): Generator<undefined> {
    let name = '';
    let unit = '';
    let help: Uint8Array | undefined;
    let dataTag = 0;
    let data: WireReader | undefined;
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === METRIC.name) name = latin1(reader.bytes());
      else if (tag === METRIC.description) help = reader.bytes();
      else if (tag === METRIC.unit) unit = latin1(reader.bytes());
      else if (TYPES.has(tag)) {
        dataTag = tag;
        data = reader.message();
      } else reader.skip(tag);
    }
    if (data === undefined) return;
    const traits = traitsOf(data);
    const key = `${dataTag}${traits}${unit}\n${name}`;
    let stream = scope.streams.get(key);
    if (stream === undefined) {
      const text = { name: utf8(name), unit: utf8(unit), help: help === undefined ? '' : Buffer.from(help).toString() };
      stream = this.#stream(text, [dataTag, traits >> 1, traits & 1], scope);
      this.#remember(scope.streams, key, stream);
    }
    yield* this.#points(data, stream, request);
  }

  #stream(
    { name, unit, help }: Readonly<Record<'name' | 'unit' | 'help', string>>,
    [dataTag, temporality, monotonic]: readonly [number, number, number],
    context: ScopeContext,
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
      wanted: { name: translated ?? name.slice(0, 100), type: shownAs(type), help, unit: unitText(unit) },
      refused: translated === undefined ? 'invalid_name' : isKnown ? undefined : 'unsupported',
      id: 0,
      family: undefined,
    };
  }

  *#points(data: WireReader, stream: Stream, request: RunningRequest): Generator<undefined> {
    const { point } = request;
    const recorder = this.#recorder;
    let refused = recorder.open(stream);
    const { layout } = stream;
    while (!data.done) {
      const tag = data.tag();
      if (tag !== DATA.data_points) {
        data.skip(tag);
        continue;
      }
      const end = data.varint() + data.position;
      if (refused === undefined) {
        point.read(data.position, end, layout);
        recorder.record(point, stream, request.nowMs);
      } else recorder.drop(refused, stream);
      data.position = end;
      if (--this.#untilYield > 0) continue;
      this.#untilYield = POINTS_A_STEP;
      yield;
      request.resume();
      refused = recorder.open(stream);
    }
  }

  /** Counts the size of everything that is cached, because senders choose the keys. */
  #remember<T>(map: Map<string, T>, key: string, context: T): void {
    map.set(key, context);
    this.#contextBytes += key.length + OBJECT_BYTES;
    if (this.#contextBytes <= MAX_CONTEXT_BYTES) return;
    this.#resources.clear();
    this.#contextBytes = 0;
  }
}

/** The messages of a field, from the reader's position on. */
function* messages(parent: WireReader, wanted: number): Generator<WireReader> {
  while (!parent.done) {
    const tag = parent.tag();
    if (tag === wanted) yield parent.message();
    else parent.skip(tag);
  }
}

/** Temporality × 2 + monotonic. Writers put these fields after the points. Keeps the reader's position. */
function traitsOf(data: WireReader): number {
  const { buffer, position, end } = data;
  while (data.position < end && buffer[data.position] === DATA.data_points) {
    data.position++;
    const length = data.varint();
    data.position += length;
  }
  let temporality = 0;
  let monotonic = 0;
  while (!data.done) {
    const tag = data.tag();
    if (tag === DATA.aggregation_temporality) temporality = data.varint();
    else if (tag === DATA.is_monotonic) monotonic = data.varint() === 0 ? 0 : 1;
    else data.skip(tag);
  }
  data.position = position;
  return (temporality & 3) * 2 + monotonic;
}

/** The last value of a field, with one character for each byte: a cheap key. Empty if the field is absent. */
function textOf(parent: WireReader, wanted: number): string {
  let text = '';
  while (!parent.done) {
    const tag = parent.tag();
    if (tag === wanted) text = latin1(parent.bytes());
    else parent.skip(tag);
  }
  return text;
}

function attributesOf(reader: WireReader, tag: number): KeyValueMap {
  const attributes = new Map<string, AnyValue>();
  for (const entry of messages(reader, tag)) readKeyValue(entry, attributes);
  return attributes;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function readerOf(bytes: string): WireReader {
  return new WireReader(Buffer.from(bytes, 'latin1'));
}

function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}
