import { fieldTags } from '../../../../engine/otlp/schema.ts';
import type { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import type { Exemplar } from '../series/exemplars.ts';
import type { Point } from './point.ts';

const EXEMPLAR = fieldTags('Exemplar');

/** The exemplars that refer to a trace. The stock Collector shows only those, too. */
export function readExemplars(point: Point): Exemplar[] {
  const exemplars: Exemplar[] = [];
  for (let i = 0; i < point.exemplars.length; i += 2) {
    const exemplar = readExemplar(point.reader(point.exemplars[i] as number, point.exemplars[i + 1] as number));
    if (exemplar.traceId.length > 0) exemplars.push(exemplar);
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
