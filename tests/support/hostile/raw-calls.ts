const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const HEADERS = 1;
const SETTINGS = 4;
const END_STREAM = 1;
const END_HEADERS = 4;
const PATH = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';

/**
 * The bytes of an HTTP/2 connection that begins this many calls over gRPC and sends nothing else. A client that composes
 * them each time would be slower than the server.
 *
 * @param headers of each call, at most 16 KiB together, and no name or value longer than 127 bytes and 16 KiB.
 */
export function rawCalls(calls: number, headers: Readonly<Record<string, string>> = {}): Buffer {
  const block = headersOf({ ':method': 'POST', 'content-type': 'application/grpc', ...headers });
  return Buffer.concat([GREETING, ...frames(calls, END_HEADERS, block)]);
}

/** The same for requests that are complete, and that the server refuses immediately. */
export function rawRequests(requests: number): Buffer {
  return Buffer.concat([
    GREETING,
    ...frames(requests, END_HEADERS | END_STREAM, headersOf({ ':method': 'GET', host: 'a' })),
  ]);
}

function headersOf(headers: Readonly<Record<string, string>>): Buffer {
  const all = { ':scheme': 'http', ':path': PATH, ...headers };
  return Buffer.concat(Object.entries(all).flatMap(([name, value]) => literal(name, value)));
}

function frames(requests: number, flags: number, block: Buffer): Buffer[] {
  return Array.from({ length: requests }, (_, i) => frame(HEADERS, flags, 2 * i + 1, block));
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const GREETING = Buffer.concat([PREFACE, frame(SETTINGS, 0, 0, Buffer.alloc(0))]);

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
