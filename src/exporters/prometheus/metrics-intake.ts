import { readKeyValue, type AnyValue, type KeyValueMap } from '../../collector/otlp/any-value.ts';
import { WireReader } from '../../collector/otlp/wire-reader.ts';
import type { PrometheusExporterConfig } from './config.ts';
import { naming } from './config.ts';
import { Labels, type Scope } from './labels.ts';
import { sampleText } from './label-text.ts';
import { metricName } from './metric-name.ts';
import type { MetricType } from './metric-type.ts';
import type { Naming } from './naming.ts';
import { histogramPoint, numberPoint, Point, summaryPoint, type PointLayout } from './point.ts';
import { SeriesStore, type Family } from './series-store.ts';

export type DropReason = 'type_conflict' | 'max_series' | 'invalid_name' | 'no_value' | 'out_of_order' | 'unsupported';

/** Metrics of one name, scope and resource; the owner of its points' attribute bytes. */
interface Stream {
  readonly id: number;
  readonly type: MetricType;
  readonly delta: boolean;
  readonly layout: PointLayout;
  /** What every point is dropped for, if the metric cannot be shown. */
  readonly refused: DropReason | undefined;
  readonly family: Family;
  readonly scope: ScopeContext;
}

interface ScopeContext extends Scope {
  readonly resource: ResourceContext;
  readonly streams: Map<string, Stream>;
}

interface ResourceContext {
  readonly attributes: KeyValueMap;
  readonly targetRow: number;
  readonly scopes: Map<string, ScopeContext>;
}

const MESSAGE = 2;
const KINDS: Readonly<Record<number, { type: MetricType; layout: PointLayout }>> = {
  5: { type: 'gauge', layout: numberPoint },
  7: { type: 'non_monotonic', layout: numberPoint },
  9: { type: 'histogram', layout: histogramPoint },
  11: { type: 'summary', layout: summaryPoint },
};

/** Walks `ExportMetricsServiceRequest`s straight into the store. */
export class MetricsIntake {
  store = new SeriesStore();
  readonly families = new Map<string, Family>();
  readonly #drop: (reason: DropReason, name: string) => void;
  readonly #maxSeries: number;
  readonly #naming: Naming;
  readonly #labels: Labels;
  readonly #point = new Point();
  #resources = new Map<string, ResourceContext>();
  #lastId = 0;
  #streamCount = 0;
  #nowMs = 0;

  constructor(config: PrometheusExporterConfig, drop: (reason: DropReason, name: string) => void) {
    this.#drop = drop;
    this.#maxSeries = config.max_series;
    this.#naming = naming(config);
    this.#labels = new Labels(config, this.#naming);
  }

  take(chunk: Uint8Array, nowMs: number): void {
    this.#nowMs = nowMs;
    if (this.#streamCount > this.#maxSeries) this.#forgetStreams();
    eachMessage(new WireReader(chunk), 1, (reader) => this.#resourceMetrics(reader));
  }

  /** Takes old series off the page and gives their memory back. No page may be rendered meanwhile. */
  expire(beforeMs: number): void {
    this.store.expire(beforeMs);
    if (!this.store.isSparse) return;
    this.store = this.store.compacted();
    for (const [name, family] of this.families) if (family.first < 0) this.families.delete(name);
    this.#forgetStreams();
  }

  #forgetStreams(): void {
    this.#resources = new Map();
    this.#streamCount = 0;
  }

  #resourceMetrics(reader: WireReader): void {
    const key = textOf(reader, 1);
    let resource = this.#resources.get(key);
    if (resource === undefined) {
      const attributes = attributesOf(key, 1);
      resource = { attributes, targetRow: this.#target(attributes), scopes: new Map() };
      this.#resources.set(key, resource);
      this.#streamCount++;
    }
    if (resource.targetRow >= 0) this.store.seen[resource.targetRow] = this.#nowMs;
    const context = resource;
    eachMessage(reader, 2, (scopeMetrics) => this.#scopeMetrics(scopeMetrics, context));
  }

  #target(attributes: KeyValueMap): number {
    const labels = this.#labels.ofTarget(attributes);
    if (labels === undefined) return -1;
    const name = this.#naming.namespace === '' ? 'target_info' : `${this.#naming.namespace}_target_info`;
    const family = this.#family(name, 'gauge', 'Target metadata');
    const row = this.#rowOf(family, sampleText(name, labels.text()));
    if (row >= 0) {
      this.store.revive(row);
      this.store.values[row] = 1;
    }
    return row;
  }

  #scopeMetrics(reader: WireReader, resource: ResourceContext): void {
    const bytes = textOf(reader, 1);
    const schemaUrl = Buffer.from(textOf(reader, 3), 'latin1').toString();
    const key = `${bytes}\n${schemaUrl}`;
    let scope = resource.scopes.get(key);
    if (scope === undefined) {
      const [name, version] = [1, 2].map((field) => utf8(textOf(readerOf(bytes), field))) as [string, string];
      scope = { resource, streams: new Map(), name, version, schemaUrl, attributes: attributesOf(bytes, 3) };
      resource.scopes.set(key, scope);
      this.#streamCount++;
    }
    const context = scope;
    eachMessage(reader, 2, (metric) => this.#metric(metric, context));
  }

  #metric(reader: WireReader, scope: ScopeContext): void {
    const name = textOf(reader, 1);
    const unit = textOf(reader, 3);
    for (const field of [5, 7, 9, 10, 11]) {
      eachMessage(reader, field, (data) => {
        const key = `${field} ${numberOf(data, 2)} ${numberOf(data, 3)} ${unit}\n${name}`;
        let stream = scope.streams.get(key);
        if (stream === undefined) {
          const metric = { name: utf8(name), unit: utf8(unit), help: utf8(textOf(reader, 2)) };
          stream = this.#stream(metric, [field, numberOf(data, 2), numberOf(data, 3)], scope);
          scope.streams.set(key, stream);
          this.#streamCount++;
        }
        this.#points(data, stream);
      });
    }
  }

  #stream(
    metric: { name: string; unit: string; help: string },
    [field, temporality, monotonic]: [number, number, number],
    scope: ScopeContext,
  ): Stream {
    const kind = KINDS[field];
    const type = field === 7 && monotonic === 1 ? 'counter' : (kind?.type ?? 'histogram');
    const name = metricName(metric.name, metric.unit, type, this.#naming);
    const family = this.#family(name ?? '', type, metric.help);
    const known = kind !== undefined && isTemporalityKnown(field, temporality);
    return {
      id: ++this.#lastId,
      type,
      delta: temporality === 1,
      layout: kind?.layout ?? numberPoint,
      refused: known ? refusal(name, type, family) : 'unsupported',
      family,
      scope,
    };
  }

  #family(name: string, type: MetricType, help: string): Family {
    let family = this.families.get(name);
    if (family === undefined) {
      family = { id: ++this.#lastId, name, type, help, first: -1, last: -1 };
      if (name !== '') this.families.set(name, family);
    }
    return family;
  }

  #points(data: WireReader, stream: Stream): void {
    const point = this.#point;
    const { end } = data;
    while (data.position < end) {
      const tag = data.tag();
      if (tag !== ((1 << 3) | MESSAGE)) {
        data.skip(tag);
        continue;
      }
      const pointEnd = data.varint() + data.position;
      point.bounds = [];
      point.counts = [];
      point.read(data, pointEnd, stream.layout);
      if (stream.refused === undefined) this.#record(point, stream);
      else this.#drop(stream.refused, stream.family.name);
    }
  }

  #record(point: Point, stream: Stream): void {
    const { store } = this;
    let row = store.find(stream.id, point.key, point.keyStart, point.keyEnd);
    if (point.noRecordedValue) {
      if (row >= 0) store.remove(row);
      return;
    }
    if (!point.hasValue) return this.#drop('no_value', stream.family.name);
    if (row < 0) row = this.#introduce(point, stream);
    if (row < 0) return this.#drop('max_series', stream.family.name);
    if (store.alive[row] === 0) store.revive(row);
    if (isOld(point.timeNs, store.times[row] as number, stream.delta)) {
      return this.#drop('out_of_order', stream.family.name);
    }
    store.times[row] = point.timeNs;
    store.seen[row] = this.#nowMs;
    this.#keep(point, stream, row);
  }

  #keep(point: Point, stream: Stream, row: number): void {
    const { values } = this.store;
    if (stream.layout !== numberPoint) this.#recordDistribution(point, stream, row);
    else values[row] = stream.delta ? (values[row] as number) + point.value : point.value;
  }

  #recordDistribution({ bounds, counts, count, sum }: Point, { delta }: Stream, row: number): void {
    const old = this.store.distributions[row];
    const adds = delta && old !== undefined && bounds.join() === old.bounds.join();
    this.store.distributions[row] = adds
      ? { bounds, counts: counts.map((n, i) => n + (old.counts[i] ?? 0)), count: count + old.count, sum: sum + old.sum }
      : { bounds, counts, count, sum };
  }

  /** The series for attribute bytes that were not seen before: its own, or the one with the same labels. */
  #introduce(point: Point, { id, type, family, scope }: Stream): number {
    const key = point.key.subarray(point.keyStart, point.keyEnd);
    const attributes = attributesIn(new WireReader(key), new Map());
    const labels = this.#labels.ofSeries(attributes, scope, scope.resource.attributes, type).text();
    const row = this.#rowOf(
      family,
      type === 'histogram' || type === 'summary' ? labels : sampleText(family.name, labels),
    );
    if (row >= 0) this.store.addAlias(id, key, row);
    return row;
  }

  #rowOf(family: Family, text: string): number {
    const bytes = Buffer.from(text);
    const row = this.store.findText(family, bytes);
    if (row >= 0) return row;
    if (this.store.size >= this.#maxSeries || this.store.rows >= this.#maxSeries * 2) return -1;
    return this.store.add(family, bytes);
  }
}

/** A delta that comes twice must not count twice; a value that comes twice does no harm. */
function isOld(timeNs: number, lastNs: number, delta: boolean): boolean {
  return timeNs < lastNs || (delta && lastNs > 0 && timeNs === lastNs);
}

/** Only sums and histograms have one; unspecified says nothing that could be shown. */
function isTemporalityKnown(field: number, temporality: number): boolean {
  return (field !== 7 && field !== 9) || temporality === 1 || temporality === 2;
}

function refusal(name: string | undefined, type: MetricType, family: Family): DropReason | undefined {
  if (name === undefined) return 'invalid_name';
  return shownAs(family.type) === shownAs(type) ? undefined : 'type_conflict';
}

function shownAs(type: MetricType): MetricType {
  return type === 'non_monotonic' ? 'gauge' : type;
}

/** Calls `visit` with a reader over each message in `field`, and leaves the parent's reader where it was. */
function eachMessage(parent: WireReader, field: number, visit: (message: WireReader) => void): void {
  const start = parent.position;
  while (!parent.done) {
    const tag = parent.tag();
    if (tag === ((field << 3) | MESSAGE)) visit(parent.message());
    else parent.skip(tag);
  }
  parent.position = start;
}

/** The last value of a bytes field as one character a byte, which makes a cheap key; empty if it is absent. */
function textOf(parent: WireReader, field: number): string {
  const start = parent.position;
  let text = '';
  while (!parent.done) {
    const tag = parent.tag();
    if (tag === ((field << 3) | MESSAGE)) {
      const bytes = parent.bytes();
      text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    } else parent.skip(tag);
  }
  parent.position = start;
  return text;
}

function numberOf(parent: WireReader, field: number): number {
  const start = parent.position;
  let value = 0;
  while (!parent.done) {
    const tag = parent.tag();
    if (tag === field << 3) value = parent.varint();
    else parent.skip(tag);
  }
  parent.position = start;
  return value;
}

function attributesOf(bytes: string, field: number): KeyValueMap {
  const attributes = new Map<string, AnyValue>();
  eachMessage(readerOf(bytes), field, (entry) => readKeyValue(entry, attributes));
  return attributes;
}

/** The attributes of a point lie bare, one field after the other, whatever the field's number. */
function attributesIn(reader: WireReader, attributes: Map<string, AnyValue>): KeyValueMap {
  while (!reader.done) {
    reader.tag();
    readKeyValue(reader.message(), attributes);
  }
  return attributes;
}

function readerOf(bytes: string): WireReader {
  return new WireReader(Buffer.from(bytes, 'latin1'));
}

function utf8(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}
