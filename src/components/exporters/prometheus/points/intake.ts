import { readKeyValue, type AnyValue, type KeyValueMap } from '../../../../engine/otlp/any-value.ts';
import { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import { hashText } from '../series/hash-bytes.ts';
import { metricName, unitText } from '../names/metric-name.ts';
import { shownAs, type MetricType } from '../names/metric-type.ts';
import type { Naming } from '../names/naming.ts';
import { exponentialPoint, histogramPoint, numberPoint, Point, summaryPoint, type PointLayout } from './point.ts';
import type { Recorder, ScopeContext, Stream } from './recorder.ts';
import { canonicalText } from '../names/series-labels.ts';
import type { TargetInfo } from './target-info.ts';

const KINDS: ReadonlyMap<number, { readonly type: MetricType; readonly layout: PointLayout }> = new Map([
  [5, { type: 'gauge', layout: numberPoint }],
  [7, { type: 'non_monotonic', layout: numberPoint }],
  [9, { type: 'histogram', layout: histogramPoint }],
  [10, { type: 'histogram', layout: exponentialPoint }],
  [11, { type: 'summary', layout: summaryPoint }],
]);
const SUM_FIELD = 7;
const DELTA = 1;
const CUMULATIVE = 2;

/** Contexts are forgotten together when they take more than this, and built again by the next requests. */
const MAX_CONTEXT_BYTES = 64 * 1024 * 1024;
/** An estimate of what the objects behind one key take. */
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

/** Walks `ExportMetricsServiceRequest`s and hands each point to the recorder, with what it shares with others. */
export class Intake {
  readonly #recorder: Recorder;
  readonly #targets: TargetInfo;
  readonly #naming: Naming;
  readonly #point = new Point();
  readonly #resources = new Map<string, Resource>();
  #contextBytes = 0;
  #untilYield = POINTS_A_STEP;

  constructor(recorder: Recorder, targets: TargetInfo, naming: Naming) {
    this.#recorder = recorder;
    this.#targets = targets;
    this.#naming = naming;
  }

  /** Yields where other work may come between, even another request; `nowMs` is the caller's to set again then. */
  *take(chunk: Uint8Array): Generator<undefined> {
    this.#point.open(chunk);
    for (const reader of messages(new WireReader(chunk), 1)) yield* this.#resourceMetrics(reader);
  }

  *#resourceMetrics(reader: WireReader): Generator<undefined> {
    const { position } = reader;
    const key = textOf(reader, 1);
    let resource = this.#resources.get(key);
    if (resource === undefined) {
      const attributes = attributesOf(readerOf(key), 1);
      resource = { attributes, canonical: canonicalText(attributes), scopes: new Map() };
      this.#remember(this.#resources, key, resource);
    }
    this.#targets.seen(resource.attributes, resource.canonical, this.#recorder.nowMs);
    reader.position = position;
    for (const scopeMetrics of messages(reader, 2)) yield* this.#scopeMetrics(scopeMetrics, resource);
  }

  *#scopeMetrics(reader: WireReader, resource: Resource): Generator<undefined> {
    const { position } = reader;
    const bytes = textOf(reader, 1);
    reader.position = position;
    const schemaUrl = utf8(textOf(reader, 3));
    const key = `${bytes}\n${schemaUrl}`;
    let scope = resource.scopes.get(key);
    if (scope === undefined) {
      const name = utf8(textOf(readerOf(bytes), 1));
      const version = utf8(textOf(readerOf(bytes), 2));
      const attributes = attributesOf(readerOf(bytes), 3);
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
    for (const metric of messages(reader, 2)) yield* this.#metric(metric, scope);
  }

  *#metric(reader: WireReader, scope: Scoped): Generator<undefined> {
    let name = '';
    let unit = '';
    let help: Uint8Array | undefined;
    let field = 0;
    let data: WireReader | undefined;
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === NAME_TAG) name = latin1(reader.bytes());
      else if (tag === HELP_TAG) help = reader.bytes();
      else if (tag === UNIT_TAG) unit = latin1(reader.bytes());
      else if ((tag & 7) === 2 && KINDS.has(tag >>> 3)) {
        field = tag >>> 3;
        data = reader.message();
      } else reader.skip(tag);
    }
    if (data === undefined) return;
    const traits = traitsOf(data);
    const key = `${field}${traits}${unit}\n${name}`;
    let stream = scope.streams.get(key);
    if (stream === undefined) {
      const text = { name: utf8(name), unit: utf8(unit), help: help === undefined ? '' : Buffer.from(help).toString() };
      stream = this.#stream(text, [field, traits >> 1, traits & 1], scope);
      this.#remember(scope.streams, key, stream);
    }
    yield* this.#points(data, stream);
  }

  #stream(
    { name, unit, help }: Readonly<Record<'name' | 'unit' | 'help', string>>,
    [field, temporality, monotonic]: readonly [number, number, number],
    context: ScopeContext,
  ): Stream {
    const { type: kind, layout } = KINDS.get(field) as { type: MetricType; layout: PointLayout };
    const type = field === SUM_FIELD && monotonic === 1 ? 'counter' : kind;
    const isLong = name.length + unit.length + help.length > MAX_NAME_BYTES;
    const translated = isLong ? undefined : metricName(name, unit, type, this.#naming);
    const isKnown = field !== SUM_FIELD || temporality === DELTA || temporality === CUMULATIVE;
    return {
      context,
      layout,
      delta: temporality === DELTA,
      identity: hashText(context.identity, name),
      wanted: { name: translated ?? name.slice(0, 100), type: shownAs(type), help, unit: unitText(unit) },
      refused: translated === undefined ? 'invalid_name' : isKnown ? undefined : 'unsupported',
      id: 0,
      family: undefined,
    };
  }

  *#points(data: WireReader, stream: Stream): Generator<undefined> {
    const point = this.#point;
    const recorder = this.#recorder;
    let refused = recorder.open(stream);
    const { layout } = stream;
    while (!data.done) {
      const tag = data.tag();
      if (tag !== POINTS_TAG) {
        data.skip(tag);
        continue;
      }
      const end = data.varint() + data.position;
      if (refused === undefined) {
        point.read(data.position, end, layout);
        recorder.record(point, stream);
      } else recorder.drop(refused, stream);
      data.position = end;
      if (--this.#untilYield > 0) continue;
      this.#untilYield = POINTS_A_STEP;
      yield;
      point.open(data.buffer);
      refused = recorder.open(stream);
    }
  }

  /** Every text from outside that is kept is paid for here. */
  #remember<T>(map: Map<string, T>, key: string, context: T): void {
    map.set(key, context);
    this.#contextBytes += key.length + OBJECT_BYTES;
    if (this.#contextBytes <= MAX_CONTEXT_BYTES) return;
    this.#resources.clear();
    this.#contextBytes = 0;
  }
}

const NAME_TAG = (1 << 3) | 2;
const HELP_TAG = (2 << 3) | 2;
const UNIT_TAG = (3 << 3) | 2;
const POINTS_TAG = (1 << 3) | 2;

/** Each message in `field`, from the reader's place on. */
function* messages(parent: WireReader, field: number): Generator<WireReader> {
  while (!parent.done) {
    const tag = parent.tag();
    if (tag === ((field << 3) | 2)) yield parent.message();
    else parent.skip(tag);
  }
}

/** Temporality × 2 + monotonic, which writers put behind the points; leaves the reader where it was. */
function traitsOf(data: WireReader): number {
  const { buffer, position, end } = data;
  while (data.position < end && buffer[data.position] === POINTS_TAG) {
    data.position++;
    const length = data.varint();
    data.position += length;
  }
  let temporality = 0;
  let monotonic = 0;
  while (!data.done) {
    const tag = data.tag();
    if (tag === 2 << 3) temporality = data.varint();
    else if (tag === 3 << 3) monotonic = data.varint() === 0 ? 0 : 1;
    else data.skip(tag);
  }
  data.position = position;
  return (temporality & 3) * 2 + monotonic;
}

/** The last value of a bytes field as one character a byte, which makes a cheap key; empty if it is absent. */
function textOf(parent: WireReader, field: number): string {
  let text = '';
  while (!parent.done) {
    const tag = parent.tag();
    if (tag === ((field << 3) | 2)) text = latin1(parent.bytes());
    else parent.skip(tag);
  }
  return text;
}

function attributesOf(reader: WireReader, field: number): KeyValueMap {
  const attributes = new Map<string, AnyValue>();
  for (const entry of messages(reader, field)) readKeyValue(entry, attributes);
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
