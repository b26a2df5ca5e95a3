import { fieldTags } from '../../../engine/otlp/schema.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';

const REQUEST = fieldTags('ExportMetricsServiceRequest');
const RESOURCE_METRICS = fieldTags('ResourceMetrics');
const SCOPE_METRICS = fieldTags('ScopeMetrics');
const METRIC = fieldTags('Metric');
/** The same in the data of each type. */
const POINT = fieldTags('Gauge').data_points;
const STEP_POINTS = 128;

/** The tag of the exemplars of a point, by its type. Summaries have none. */
export const exemplarTags: ReadonlyMap<string, number> = new Map([
  ['NumberDataPoint', fieldTags('NumberDataPoint').exemplars],
  ['HistogramDataPoint', fieldTags('HistogramDataPoint').exemplars],
  ['ExponentialHistogramDataPoint', fieldTags('ExponentialHistogramDataPoint').exemplars],
]);

/** The same by the tag of the data. */
const EXEMPLARS_OF: ReadonlyMap<number, number | undefined> = new Map([
  [METRIC.gauge, exemplarTags.get('NumberDataPoint')],
  [METRIC.sum, exemplarTags.get('NumberDataPoint')],
  [METRIC.histogram, exemplarTags.get('HistogramDataPoint')],
  [METRIC.exponential_histogram, exemplarTags.get('ExponentialHistogramDataPoint')],
]);

/** Calls `onExemplar` with the place of each exemplar of a request. Yields where other work may run. */
export function* walkExemplars(
  request: Uint8Array,
  onExemplar: (start: number, end: number) => void,
): Generator<undefined, undefined> {
  let points = 0;
  for (const block of messagesIn(new WireReader(request), REQUEST.resource_metrics)) {
    for (const scope of messagesIn(block, RESOURCE_METRICS.scope_metrics)) {
      for (const metric of messagesIn(scope, SCOPE_METRICS.metrics)) yield* pointsOf(metric);
    }
  }

  function* pointsOf(metric: WireReader): Generator<undefined, undefined> {
    while (!metric.done) {
      const tag = metric.tag();
      const exemplars = EXEMPLARS_OF.get(tag);
      if (exemplars === undefined) {
        metric.skip(tag);
        continue;
      }
      for (const data = metric.message(); !data.done;) {
        const field = data.tag();
        if (field === POINT) readPoint(data, exemplars, onExemplar);
        else data.skip(field);
        if (++points % STEP_POINTS === 0) yield;
      }
    }
  }
}

/** Reads the point behind its tag. Makes no objects. */
function readPoint(reader: WireReader, exemplars: number, onExemplar: (start: number, end: number) => void): void {
  const length = reader.varint();
  const end = reader.position + length;
  while (reader.position < end) {
    const tag = reader.tag();
    if (tag !== exemplars) {
      reader.skip(tag);
      continue;
    }
    const size = reader.varint();
    onExemplar(reader.position, reader.position + size);
    reader.position += size;
  }
}

function* messagesIn(reader: WireReader, wanted: number): Generator<WireReader> {
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === wanted) yield reader.message();
    else reader.skip(tag);
  }
}
