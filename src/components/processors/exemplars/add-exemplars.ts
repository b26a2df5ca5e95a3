import type { TelemetryBatch } from '../../../engine/component.ts';
import { writeKeyValue } from '../../../engine/otlp/any-value.ts';
import { rewriteItems } from '../../../engine/otlp/items.ts';
import { fieldNumbers } from '../../../engine/otlp/schema.ts';
import { WireWriter } from '../../../engine/otlp/wire-writer.ts';
import type { Link } from './links.ts';

const EXEMPLAR = fieldNumbers('Exemplar');
const FIELDS: Readonly<Record<string, number>> = {
  NumberDataPoint: fieldNumbers('NumberDataPoint').exemplars,
  HistogramDataPoint: fieldNumbers('HistogramDataPoint').exemplars,
};

/** The attribute of an exemplar that was not recorded with the measurement. */
const DERIVED = 'derived';

/** The links of data points, by the buffer of a chunk and the place of the point in it. */
export type LinksByPoint = Map<ArrayBufferLike, Map<number, readonly Link[]>>;

/** Appends exemplars to the points. The bytes of the others stay as they are. */
export async function addExemplars(batch: TelemetryBatch, links: LinksByPoint): Promise<TelemetryBatch> {
  return await rewriteItems(batch, ({ type, bytes }) => {
    const ofPoint = links.get(bytes.buffer)?.get(bytes.byteOffset);
    return ofPoint === undefined ? 'keep' : withExemplars(bytes, FIELDS[type] as number, ofPoint);
  });
}

function withExemplars(point: Uint8Array, field: number, links: readonly Link[]): Uint8Array {
  const writer = new WireWriter(point.length + 128 * links.length);
  writer.append(point);
  for (const { value, timeNs, traceId, spanId } of links) {
    writer.messageField(field, () => {
      writer.fixed64Field(EXEMPLAR.time_unix_nano, timeNs);
      writer.doubleField(EXEMPLAR.as_double, value);
      writer.bytesField(EXEMPLAR.span_id, spanId);
      writer.bytesField(EXEMPLAR.trace_id, traceId);
      writeKeyValue(writer, EXEMPLAR.filtered_attributes, DERIVED, true);
    });
  }
  return writer.finish();
}
