import { writeKeyValue } from '../../../src/engine/otlp/any-value.ts';
import { WireWriter } from '../../../src/engine/otlp/wire-writer.ts';

export const SPANS_PER_REQUEST = 100;

const START_NS = BigInt(Date.now()) * 1_000_000n;
const DURATION_NS = 12_345_678n;
const INTERNAL = 1;
const OK = 1;

/** One `ExportTraceServiceRequest` of small spans, as an instrumented service sends them. The first span of each trace is its root. */
export function spanRequest(spansPerTrace = 10): Buffer {
  const writer = new WireWriter(65_536);
  writer.messageField(1, () => {
    writer.messageField(1, () => {
      writeKeyValue(writer, 1, 'service.name', 'bench');
      writeKeyValue(writer, 1, 'service.instance.id', '1');
    });
    writer.messageField(2, () => {
      writer.messageField(1, () => writer.stringField(1, 'bench'));
      for (let i = 0; i < SPANS_PER_REQUEST; i++) writer.messageField(2, () => writeSpan(writer, i, spansPerTrace));
    });
  });
  return Buffer.from(writer.finish());
}

/** The positions of the ids of traces, one for each span. */
export function traceIdOffsets(request: Buffer): readonly number[] {
  const offsets: number[] = [];
  for (let at = request.indexOf(TRACE_ID); at !== -1; at = request.indexOf(TRACE_ID, at + 1)) offsets.push(at + 2);
  return offsets;
}

/** Field 1 with 16 bytes, and the bytes that all ids have in common. */
const TRACE_ID = Buffer.concat([Buffer.from([0x0a, 16]), Buffer.alloc(12, 0x5a)]);

function writeSpan(writer: WireWriter, number: number, spansPerTrace: number): void {
  writer.bytesField(1, id(16, Math.floor(number / spansPerTrace) + 1));
  writer.bytesField(2, id(8, number + 1));
  const place = number % spansPerTrace;
  if (place > 0) writer.bytesField(4, id(8, number - place + 1));
  writer.stringField(5, `GET /products/${number}`);
  writer.varintField(6, INTERNAL);
  writer.fixed64Field(7, START_NS);
  writer.fixed64Field(8, START_NS + DURATION_NS);
  writeKeyValue(writer, 9, 'http.request.method', 'GET');
  writeKeyValue(writer, 9, 'http.route', '/products/:id');
  writeKeyValue(writer, 9, 'server.address', 'shop.example');
  writeKeyValue(writer, 9, 'url.full', `https://shop.example/products/${number}`);
  writer.messageField(15, () => writer.varintField(3, OK));
}

function id(bytes: number, number: number): Uint8Array {
  const buffer = Buffer.alloc(bytes, 0x5a);
  buffer.writeUInt32BE(number, bytes - 4);
  return buffer;
}
