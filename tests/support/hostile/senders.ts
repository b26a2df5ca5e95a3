import { randomBytes } from 'node:crypto';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { gaugesRequest } from '../otlp/gauges-request.ts';
import { rawCalls, rawRequests } from './raw-calls.ts';

/** The addresses of a sidecar, `http://host:port`. */
export interface Targets {
  readonly http: string;
  readonly grpc: string;
  readonly scrape: string;
  readonly health: string;
}

/** The behaviour of one hostile connection, repeated until the signal. */
type Attack = (targets: Targets, until: AbortSignal) => Promise<void>;

const PAUSE_MS = 200;
const MIB = 1024 * 1024;

const attacks = {
  unfinishedBody,
  unfinishedMessages,
  endlessHeaders,
  largeHeaders,
  manyHeaders,
  endlessCalls,
  largeHeadersOfCalls,
  unreadAnswers,
  newSeries,
  newNames,
  manyBuckets,
  tinyMessages,
  nestedJson,
  stalledScrape,
  slowScrape,
  idle,
} satisfies Readonly<Record<string, Attack>>;

export type AttackName = keyof typeof attacks;

export const attackNames = Object.keys(attacks) as AttackName[];

/** Attacks over this many connections at a time, in these ways. Resolves when all have ended. */
export async function attack(
  targets: Targets,
  { connections, names }: { readonly connections: number; readonly names: readonly AttackName[] },
  until: AbortSignal,
): Promise<void> {
  const runs = Array.from({ length: connections }, async (_, i) => {
    const one = attacks[names[i % names.length] as AttackName];
    while (!until.aborted) {
      await one(targets, until).catch(() => undefined);
      await sleep(PAUSE_MS * (1 + Math.random()));
    }
  });
  await Promise.all(runs);
}

/** Shared, so that the senders are not busier than the sidecar. */
const noise = randomBytes(2 * MIB);

async function unfinishedBody({ http }: Targets, until: AbortSignal): Promise<void> {
  const head =
    'POST /v1/metrics HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\nContent-Length: 20000000';
  await hold(socketTo(http), `${head}\r\n\r\n`, noise, until);
}

async function endlessHeaders({ http }: Targets, until: AbortSignal): Promise<void> {
  const headers = Array.from({ length: 60 }, (_, i) => `x-${i}: ${'a'.repeat(15_000)}`).join('\r\n');
  await hold(socketTo(http), `GET / HTTP/1.1\r\nHost: a\r\n${headers}`, Buffer.alloc(0), until);
}

const large = headOf(Array.from({ length: 60 }, (_, i) => `x-${i}: ${'a'.repeat(15_000)}`));

/** Complete headers, and a body that does not end. */
async function largeHeaders({ http }: Targets, until: AbortSignal): Promise<void> {
  await hold(socketTo(http), large, Buffer.from('a'), until);
}

/** The headers are as many as fit while many connections are open. */
const many = headOf(Array.from({ length: 900 }, (_, i) => `x${i}: ${i}`));

async function manyHeaders({ http }: Targets, until: AbortSignal): Promise<void> {
  await hold(socketTo(http), many, Buffer.from('a'), until);
}

function headOf(headers: readonly string[]): string {
  const all = ['Host: a', 'Content-Type: application/x-protobuf', 'Content-Length: 1000', ...headers];
  return `POST /v1/metrics HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n`;
}

async function stalledScrape({ scrape }: Targets, until: AbortSignal): Promise<void> {
  await hold(socketTo(scrape), 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n', Buffer.alloc(0), until);
}

/** Reads a little of the page all the time. */
async function slowScrape({ scrape }: Targets, until: AbortSignal): Promise<void> {
  const socket = socketTo(scrape).pause();
  socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n');
  for (let i = 0; i < 20 && !socket.destroyed && !until.aborted; i++) {
    await pause(500, until);
    socket.read(16_384);
  }
  socket.destroy();
}

async function idle({ health }: Targets, until: AbortSignal): Promise<void> {
  await hold(socketTo(health), '', Buffer.alloc(0), until);
}

/** Sends, reads nothing, and waits until the connection is closed or for ten seconds. */
async function hold(socket: Socket, text: string, body: Buffer, until: AbortSignal): Promise<void> {
  socket.pause();
  socket.write(text);
  socket.write(body);
  await Promise.race([new Promise((resolve) => socket.once('close', resolve)), pause(10_000, until)]);
  socket.destroy();
}

/** The first quarter of a message. */
const unfinished = Buffer.alloc(5 + MIB);
unfinished.writeUInt32BE(4 * MIB - 10, 1);

async function unfinishedMessages({ grpc }: Targets, until: AbortSignal): Promise<void> {
  const session = connectHttp2(grpc);
  session.on('error', () => undefined);
  for (let i = 0; i < 20; i++) beginCall(session).write(unfinished);
  await Promise.race([new Promise((resolve) => session.once('close', resolve)), pause(5000, until)]);
  session.destroy();
}

function beginCall(session: ClientHttp2Session): NodeJS.WritableStream {
  const path = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
  stream.on('error', () => undefined).resume();
  return stream;
}

const calls = rawCalls(100);

async function endlessCalls({ grpc }: Targets, until: AbortSignal): Promise<void> {
  await hold(socketTo(grpc), '', calls, until);
}

const largeCalls = rawCalls(
  100,
  Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`x-${i}`, 'a'.repeat(1000)])),
);

async function largeHeadersOfCalls({ grpc }: Targets, until: AbortSignal): Promise<void> {
  await hold(socketTo(grpc), '', largeCalls, until);
}

const requests = rawRequests(20_000);
const REQUESTS_BYTES = 16_384;

/** Sends requests without a pause, and reads no answer. */
async function unreadAnswers({ grpc }: Targets, until: AbortSignal): Promise<void> {
  const socket = socketTo(grpc).pause();
  for (let sent = 0; sent < requests.length && !socket.destroyed && !until.aborted; sent += REQUESTS_BYTES) {
    socket.write(requests.subarray(sent, sent + REQUESTS_BYTES));
    // Node ends a connection that begins more calls than it may have.
    await pause(20, until);
  }
  await hold(socket, '', Buffer.alloc(0), until);
}

async function newSeries({ http }: Targets): Promise<void> {
  const values = Array.from({ length: 500 }, () => randomBytes(500).toString('hex'));
  await post(http, gaugesRequest({ job: 'hostile', names: ['hostile'], values }));
}

async function newNames({ http }: Targets): Promise<void> {
  const names = Array.from({ length: 2000 }, () => `n${randomBytes(20).toString('hex')}`);
  await post(http, gaugesRequest({ job: randomBytes(4).toString('hex'), names }));
}

const buckets = {
  count: 1001,
  explicitBounds: Array.from({ length: 1000 }, (_, i) => i),
  bucketCounts: Array.from({ length: 1001 }, () => 1),
};

/** Few long labels, which a page repeats for each bucket. */
async function manyBuckets({ http }: Targets): Promise<void> {
  const dataPoints = Array.from({ length: 20 }, () => {
    const stringValue = randomBytes(1000).toString('hex');
    return { ...buckets, attributes: [{ key: 'a', value: { stringValue } }] };
  });
  const metrics = [{ name: 'buckets', histogram: { aggregationTemporality: 2, dataPoints } }];
  const body = JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
  await post(http, Buffer.from(body), { 'content-type': 'application/json' });
}

/** Many empty spans. */
const tiny = gzipSync(
  Buffer.concat([Buffer.from([0x0a]), varint(4 * MIB + 8), scopeOf(Buffer.alloc(4 * MIB, '\x12\0'))]),
);

async function tinyMessages({ http }: Targets): Promise<void> {
  await post(http, tiny, { 'content-encoding': 'gzip' }, '/v1/traces');
}

const nested = gzipSync(Buffer.from('['.repeat(10 * MIB)));

async function nestedJson({ http }: Targets): Promise<void> {
  await post(http, nested, { 'content-encoding': 'gzip', 'content-type': 'application/json' });
}

function scopeOf(spans: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x12]), varint(spans.length), spans]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** Returns the status. */
export async function post(
  http: string,
  body: Uint8Array,
  headers: Record<string, string> = {},
  path = '/v1/metrics',
): Promise<number> {
  const answer = await fetch(`${http}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf', ...headers },
    body: new Uint8Array(body),
    signal: AbortSignal.timeout(20_000),
  });
  await answer.arrayBuffer();
  return answer.status;
}

function socketTo(url: string): Socket {
  const { hostname, port } = new URL(url);
  return connect(Number(port), hostname).on('error', () => undefined);
}

async function pause(ms: number, until: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: until }).catch(() => undefined);
}
