import { fieldTags } from '../../../../engine/otlp/schema.ts';
import type { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import type { Exemplar } from '../series/exemplars.ts';
import type { Point } from './point.ts';

const EXEMPLAR = fieldTags('Exemplar');

/** Absent, or zeros. */
const IS_INVALID = /^0*$/;

/** Only the last ones of a point are read. Two for each bucket that can be shown. */
const MAX_EXEMPLARS = 2048;

/** The exemplars that refer to a trace. The stock Collector shows only those, too. */
export function readExemplars(point: Point): Exemplar[] {
  const exemplars: Exemplar[] = [];
  const { length } = point.exemplars;
  for (let i = Math.max(0, length - 2 * MAX_EXEMPLARS); i < length; i += 2) {
    const exemplar = readExemplar(point.reader(point.exemplars[i] as number, point.exemplars[i + 1] as number));
    if (!IS_INVALID.test(exemplar.traceId)) exemplars.push(exemplar);
  }
  return exemplars;
}

function readExemplar(reader: WireReader): Exemplar {
  let timeNs = 0n;
  let value = 0;
  let spanId = '';
  let traceId = '';
  while (!reader.done) {
    const tag = reader.tag();
    if (tag === EXEMPLAR.time_unix_nano) timeNs = reader.fixed64();
    else if (tag === EXEMPLAR.as_double) value = reader.double();
    else if (tag === EXEMPLAR.as_int) value = Number(reader.sfixed64());
    else if (tag === EXEMPLAR.span_id) spanId = Buffer.from(reader.bytes()).toString('hex');
    else if (tag === EXEMPLAR.trace_id) traceId = Buffer.from(reader.bytes()).toString('hex');
    else reader.skip(tag);
  }
  return { timeNs, value, spanId, traceId };
}
