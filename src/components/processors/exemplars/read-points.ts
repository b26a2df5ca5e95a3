import { viewOf } from '../../../engine/columns/hash-bytes.ts';
import { fieldTags } from '../../../engine/otlp/schema.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';
import { Group } from './group.ts';
import type { Link, Links, Outcome } from './links.ts';
import { placeOfName, readMetric, type MetricFields } from './metric-fields.ts';
import { MAX_ATTRIBUTE_BYTES } from '../../../engine/otlp/picked-attributes.ts';
import { PointFields } from './point-fields.ts';
import type { Resources } from './resources.ts';
import type { CompiledRule } from './rules.ts';
import { isAt } from '../../../engine/otlp/wanted-keys.ts';

const REQUEST = fieldTags('ExportMetricsServiceRequest');
const RESOURCE_METRICS = fieldTags('ResourceMetrics');
const SCOPE_METRICS = fieldTags('ScopeMetrics');
/** The tag of the points in the data of all types. */
const POINT = fieldTags('Sum').data_points;
const STEP_POINTS = 64;

/** Gets the links of the data point that begins at this place of the request. */
export type OnLinks = (pointStart: number, links: readonly Link[]) => void;

/** Where points are, and where their links go. */
interface Place {
  readonly request: DataView;
  /** The messages `Resource` of the block. */
  readonly resource: readonly Uint8Array[];
  /** The encoded scope. */
  readonly scope: string;
  readonly onLinks: OnLinks;
}

/** Reads the points of metrics with rules, and finds the spans that their measurements belong to. */
export class PointReading {
  readonly #resources: Resources;
  readonly #rules: readonly CompiledRule[];
  readonly #links: Links;
  readonly #onOutcome: (outcome: Outcome) => void;
  readonly #point = new PointFields();

  constructor(
    resources: Resources,
    {
      rules,
      links,
      onOutcome,
    }: {
      readonly rules: readonly CompiledRule[];
      readonly links: Links;
      readonly onOutcome: (outcome: Outcome) => void;
    },
  ) {
    this.#resources = resources;
    this.#rules = rules;
    this.#links = links;
    this.#onOutcome = onOutcome;
  }

  /** Reads one `ExportMetricsServiceRequest`. Yields where other work may run. */
  *read(request: Uint8Array, onLinks: OnLinks): Generator<undefined, undefined> {
    const view = viewOf(request);
    for (const reader = new WireReader(request); !reader.done;) {
      const tag = reader.tag();
      if (tag === REQUEST.resource_metrics) yield* this.#resourceMetrics(reader.message(), { request: view, onLinks });
      else reader.skip(tag);
    }
  }

  *#resourceMetrics(reader: WireReader, place: Pick<Place, 'request' | 'onLinks'>): Generator<undefined> {
    const resource = reader.allOf(RESOURCE_METRICS.resource);
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === RESOURCE_METRICS.scope_metrics) yield* this.#scopeMetrics(reader.message(), { ...place, resource });
      else reader.skip(tag);
    }
  }

  *#scopeMetrics(reader: WireReader, target: Omit<Place, 'scope'>): Generator<undefined> {
    const { position } = reader;
    let scope = '';
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === SCOPE_METRICS.scope) scope += Buffer.from(reader.bytes()).toString('latin1');
      else reader.skip(tag);
    }
    reader.position = position;
    for (let metrics = 1; !reader.done; metrics++) {
      const tag = reader.tag();
      if (tag === SCOPE_METRICS.metrics) yield* this.#metric(reader.message(), { ...target, scope });
      else reader.skip(tag);
      if (metrics % STEP_POINTS === 0) yield;
    }
  }

  *#metric(reader: WireReader, place: Place): Generator<undefined> {
    const { position } = reader;
    const rule = this.#ruleOf(reader, place);
    if (rule === undefined) return;
    reader.position = position;
    const metric = readMetric(reader);
    if (metric !== undefined) yield* this.#points(metric, rule, place);
  }

  #ruleOf(metric: WireReader, { request }: Place): CompiledRule | undefined {
    if (placeOfName(metric) < 0) return undefined;
    const length = metric.varint();
    return this.#rules.find(({ metric: name }) => name.byteLength === length && isAt(name, request, metric.position));
  }

  *#points(metric: MetricFields, rule: CompiledRule, place: Place): Generator<undefined> {
    let group: Group | undefined;
    while (!metric.data.done) {
      group = this.#somePoints(metric, group ?? rule, place);
      yield;
    }
  }

  /** Returns the group of the points, unless it is not known yet. */
  #somePoints(
    metric: MetricFields,
    known: Group | CompiledRule,
    { resource, scope, onLinks }: Place,
  ): Group | undefined {
    const { data } = metric;
    const point = this.#point;
    point.open(metric);
    let group = known instanceof Group ? known : undefined;
    for (let fields = 0; fields < STEP_POINTS && !data.done; fields++) {
      const tag = data.tag();
      if (tag !== POINT) {
        data.skip(tag);
        continue;
      }
      const end = data.varint() + data.position;
      const start = data.position;
      point.read(data, end);
      data.position = end;
      if (point.timeNs > 0) group ??= this.#groupOf(resource, known as CompiledRule);
      const links = group === undefined ? NO_LINKS : this.#linksOf(group, scope, metric);
      if (links.length > 0) onLinks(start, links);
    }
    return group;
  }

  #groupOf(resource: readonly Uint8Array[], rule: CompiledRule): Group | undefined {
    const group = this.#resources.groupOf(resource, rule, this.#point.timeNs);
    if (group !== undefined) group.seenMs = performance.now();
    return group;
  }

  #linksOf(group: Group, scope: string, { measure }: MetricFields): readonly Link[] {
    const point = this.#point;
    if (point.hasExemplars && !group.hasOwnExemplars) {
      group.hasOwnExemplars = true;
      group.clear();
    }
    if (group.hasOwnExemplars) return NO_LINKS;
    group.advance(point.timeNs);
    const keyBytes = point.attributesEnd - point.attributesStart + scope.length;
    const series = point.isReadable && keyBytes <= MAX_ATTRIBUTE_BYTES ? group.seriesOf(scope, point) : undefined;
    if (series === undefined) group.doubt(point.timeNs);
    // A point that was sent twice.
    if (series === undefined || series.lastNs === point.timeNs) return NO_LINKS;
    const links = this.#links.of(group, series, { measure, onOutcome: this.#onOutcome });
    series.take(point);
    return links;
  }
}

const NO_LINKS: readonly Link[] = [];
