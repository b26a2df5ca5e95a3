import { fieldTags } from '../../../../engine/otlp/schema.ts';
import { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import type { ExemplarMemory } from '../memory/exemplar-memory.ts';
import { idOf } from '../memory/telemetry-memory.ts';
import type { TraceClasses } from '../memory/trace-classes.ts';

const REQUEST = fieldTags('ExportMetricsServiceRequest');
const RESOURCE = fieldTags('ResourceMetrics');
const SCOPE = fieldTags('ScopeMetrics');
const METRIC = fieldTags('Metric');
const EXEMPLAR = fieldTags('Exemplar');

/** The tag of the exemplars in the points of each type. Summaries have none. */
const EXEMPLARS_OF: ReadonlyMap<number, number> = new Map([
  [METRIC.gauge, fieldTags('NumberDataPoint').exemplars],
  [METRIC.sum, fieldTags('NumberDataPoint').exemplars],
  [METRIC.histogram, fieldTags('HistogramDataPoint').exemplars],
  [METRIC.exponential_histogram, fieldTags('ExponentialHistogramDataPoint').exemplars],
]);
/** The same in each type. */
const DATA_POINTS = fieldTags('Gauge').data_points;

const MAX_NAME_BYTES = 1024;

/** Reads the exemplars of metrics, and nothing else of them. */
export class ExemplarIntake {
  readonly #memory: ExemplarMemory;
  readonly #classes: TraceClasses;

  constructor(memory: ExemplarMemory, classes: TraceClasses) {
    this.#memory = memory;
    this.#classes = classes;
  }

  *take(chunk: Uint8Array): Generator<undefined> {
    for (const request of messagesIn(new WireReader(chunk), REQUEST.resource_metrics)) {
      for (const scope of messagesIn(request, RESOURCE.scope_metrics)) {
        for (const metric of messagesIn(scope, SCOPE.metrics)) {
          this.#readMetric(metric);
          yield;
        }
      }
    }
  }

  #readMetric(reader: WireReader): void {
    const { position } = reader;
    let [name, unit] = ['', ''];
    let hasExemplars = false;
    while (!reader.done) {
      const tag = reader.tag();
      const exemplars = EXEMPLARS_OF.get(tag);
      if (tag === METRIC.name) name = reader.string(MAX_NAME_BYTES);
      else if (tag === METRIC.unit) unit = reader.string(MAX_NAME_BYTES);
      else if (exemplars === undefined) reader.skip(tag);
      else hasExemplars = pointsHave(exemplars, reader) || hasExemplars;
    }
    if (!hasExemplars) return;
    // The name may come after the points.
    reader.position = position;
    while (!reader.done) {
      const tag = reader.tag();
      const exemplars = EXEMPLARS_OF.get(tag);
      if (exemplars === undefined) reader.skip(tag);
      else {
        for (const point of messagesIn(reader.message(), DATA_POINTS)) {
          for (const exemplar of messagesIn(point, exemplars)) this.#add(name, unit, exemplar);
        }
      }
    }
  }

  #add(metric: string, unit: string, reader: WireReader): void {
    let timeUnixNano = 0n;
    let value = 0;
    let [traceId, spanId] = [Buffer.alloc(0), Buffer.alloc(0)];
    while (!reader.done) {
      const tag = reader.tag();
      if (tag === EXEMPLAR.time_unix_nano) timeUnixNano = reader.fixed64();
      else if (tag === EXEMPLAR.as_double) value = reader.double();
      else if (tag === EXEMPLAR.as_int) value = Number(reader.sfixed64());
      else if (tag === EXEMPLAR.trace_id) traceId = Buffer.from(reader.bytes());
      else if (tag === EXEMPLAR.span_id) spanId = Buffer.from(reader.bytes());
      else reader.skip(tag);
    }
    if (traceId.length !== 16 || spanId.length !== 8 || traceId.every((byte) => byte === 0)) return;
    this.#classes.refer(idOf(traceId));
    this.#memory.add(metric, unit, {
      traceId: traceId.toString('hex'),
      spanId: spanId.toString('hex'),
      value,
      timeUnixNano,
    });
  }
}

function* messagesIn(reader: WireReader, wanted: number): Generator<WireReader> {
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === wanted) yield reader.message();
    else reader.skip(tag);
  }
}

/** True if a point has an exemplar, which is rare: makes no objects. Leaves the reader behind the message of the points. */
function pointsHave(exemplars: number, reader: WireReader): boolean {
  const end = endOfMessage(reader);
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag !== DATA_POINTS) {
      reader.skip(tag);
      continue;
    }
    const pointEnd = endOfMessage(reader);
    while (reader.position < pointEnd) {
      const field = reader.tag();
      if (field !== exemplars) reader.skip(field);
      else {
        reader.position = end;
        return true;
      }
    }
  }
  return false;
}

/** The reader continues at the content of the message. */
function endOfMessage(reader: WireReader): number {
  const length = reader.varint();
  return reader.position + length;
}
