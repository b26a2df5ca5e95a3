const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const HEADERS = 1;
const SETTINGS = 4;
const END_HEADERS = 4;
const PATH = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';

/**
 * The bytes of an HTTP/2 connection that begins this many calls over gRPC and sends nothing else. A client that composes
 * them each time would be slower than the server.
 *
 * @param headers of each call, at most 16 KiB together, and no name or value longer than 127 bytes and 16 KiB.
 */
export function rawCalls(calls: number, headers: Readonly<Record<string, string>> = {}): Buffer {
  const all = { ':method': 'POST', ':scheme': 'http', ':path': PATH, 'content-type': 'application/grpc', ...headers };
  const block = Buffer.concat(Object.entries(all).flatMap(([name, value]) => literal(name, value)));
  const frames = Array.from({ length: calls }, (_, i) => frame(HEADERS, END_HEADERS, 2 * i + 1, block));
  return Buffer.concat([PREFACE, frame(SETTINGS, 0, 0, Buffer.alloc(0)), ...frames]);
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** https://www.rfc-editor.org/rfc/rfc7541#section-6.2.2 */
function literal(name: string, value: string): readonly Buffer[] {
  return [Buffer.of(0), ...text(name), ...text(value)];
}

/** https://www.rfc-editor.org/rfc/rfc7541#section-5.1 */
function text(value: string): readonly Buffer[] {
  const bytes = Buffer.from(value);
  const rest = bytes.length - 127;
  if (rest < 0) return [Buffer.of(bytes.length), bytes];
  if (rest < 128) return [Buffer.of(127, rest), bytes];
  return [Buffer.of(127, (rest % 128) | 128, Math.floor(rest / 128)), bytes];
}
