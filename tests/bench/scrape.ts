import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { SHOWN_AS, valueAfter, type LoadShape } from './load-shape.ts';

export const ENCODINGS = ['identity', 'gzip', 'protobuf'] as const;
export type Encoding = (typeof ENCODINGS)[number];

const PROTOBUF = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
const HEADERS: Readonly<Record<Encoding, Record<string, string>>> = {
  identity: { 'accept-encoding': 'identity' },
  gzip: { 'accept-encoding': 'gzip' },
  protobuf: { 'accept-encoding': 'identity', accept: PROTOBUF },
};

const TIMEOUT_MS = 60_000;

export interface Scrape {
  /** From the request to the last byte of the response. */
  readonly durationMs: number;
  readonly text: () => string;
}

export async function scrape(port: number, encoding: Encoding): Promise<Scrape> {
  const startedAt = performance.now();
  const request = get({
    host: '127.0.0.1',
    port,
    path: '/metrics',
    headers: HEADERS[encoding],
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const chunks = (await response.toArray()) as Buffer[];
  const durationMs = performance.now() - startedAt;
  if (response.statusCode !== 200) throw new Error(`the scrape failed with status ${response.statusCode}`);
  const zipped = response.headers['content-encoding'] === 'gzip';
  const isProtobuf = response.headers['content-type']?.startsWith('application/vnd.google.protobuf') === true;
  if (zipped !== (encoding === 'gzip') || isProtobuf !== (encoding === 'protobuf')) {
    throw new Error(`the scrape is not encoded as ${encoding}`);
  }
  const body = Buffer.concat(chunks);
  return { durationMs, text: () => (zipped ? gunzipSync(body) : body).toString() };
}

/** @throws unless the page shows every series with the value of this pass. */
export function verifyPage(text: string, { kind, series }: LoadShape, pass: number): void {
  const values = new Map<number, number>();
  for (const [, id, value] of text.matchAll(new RegExp(`^${SHOWN_AS[kind]}\\{.*\\bid="(\\d+)".*\\} (\\S+)$`, 'gm'))) {
    values.set(Number(id), Number(value));
  }
  const wrong = Array.from({ length: series }, (_, i) => i).filter((i) => values.get(i) !== valueAfter(pass, i));
  if (wrong.length === 0) return;
  const [first = 0] = wrong;
  throw new Error(
    `points were lost: ${wrong.length} of ${series} series do not show their last value, ` +
      `e.g. ${first} shows ${values.get(first)} instead of ${valueAfter(pass, first)}`,
  );
}
