/** Delivers requests while the process ends and its event loop does not run any more. */
import http from 'node:http';
import https from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';

export interface LastRequest {
  readonly signal: 'traces' | 'metrics' | 'logs';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The encoded request, without the compression that the headers name. */
  readonly body: Uint8Array;
  readonly compression: 'gzip' | 'none';
  /** True if nothing listened when the last request to this endpoint was sent. */
  readonly isRefused: boolean;
  /** PEM, for https. */
  readonly tls: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>;
}

/** A request that the operating system has as a whole, without an answer yet. */
export interface UnansweredRequest extends LastRequest {
  readonly waitedMs: number;
}

export interface Pending {
  /** They end with the process. */
  readonly unsent: readonly LastRequest[];
  readonly unanswered: readonly UnansweredRequest[];
}

/** The requests that did not arrive. */
export interface Undelivered {
  /** The endpoint does not have them, so a later delivery does not repeat anything. */
  readonly unsent: readonly LastRequest[];
  /** They may have arrived or not. */
  readonly unknown: readonly LastRequest[];
}

/** The data of the worker. `progress` has the number of settled requests, the order to stop, and the {@link State} of each request. */
interface LastDelivery {
  readonly progress: Int32Array;
  readonly requests: readonly LastRequest[];
}

const SETTLED = 0;
const STOP = 1;
const FIRST_STATE = 2;

/**
 * `unsent`: the endpoint does not have the whole request, or did not accept it. `sent`: it has been answered. `unknown`: the
 * operating system has the whole request, and then the connection broke, or the time was over.
 */
const State = { waiting: 0, begun: 1, unsent: 2, sent: 3, unknown: 4 } as const;

/** The answers of a server that has not accepted the request: https://opentelemetry.io/docs/specs/otlp/#failures-1 */
export const RETRYABLE_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Enough for the worker to cut off what it has begun. */
const STOP_SHARE = 0.05;

/**
 * Posts all unsent requests together, each a single time, and blocks until all are answered or the time is over. A worker
 * thread sends them, since its event loop still runs: `docs/decisions/0024-last-telemetry-from-a-worker.md`. When the time
 * is over, it cuts off the requests that are not complete. Requests that are refused already are not sent again.
 *
 * Nothing can read the answers to earlier requests any more. They have arrived unless the endpoint has kept them, or the
 * last ones, waiting for as long as it may.
 */
export function deliverNow({ unsent, unanswered }: Pending, timeoutMs: number): Undelivered {
  const last = post(unsent, timeoutMs);
  const isTimeOver = timeoutMs <= 0 || last.unknown.length > 0 || last.unsent.some(({ isRefused }) => !isRefused);
  const unknown = unanswered.filter(({ waitedMs }) => isTimeOver || waitedMs >= timeoutMs);
  return { unsent: last.unsent, unknown: [...last.unknown, ...unknown] };
}

function post(requests: readonly LastRequest[], timeoutMs: number): Undelivered {
  const refused = requests.filter(({ isRefused }) => isRefused);
  const sent = requests.filter(({ isRefused }) => !isRefused);
  if (timeoutMs <= 0 || sent.length === 0) return { unsent: requests, unknown: [] };
  const states = postFromWorker(sent, timeoutMs);
  const unsent = sent.filter((_, index) => states[index] === State.unsent);
  // The worker did not answer the order to stop, and may be anywhere.
  const unknown = sent.filter((_, index) => states[index] === State.unknown || states[index] === State.begun);
  return { unsent: [...refused, ...unsent], unknown };
}

/** Returns the state of each request. */
function postFromWorker(requests: readonly LastRequest[], timeoutMs: number): readonly number[] {
  const length = FIRST_STATE + requests.length;
  const progress = new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
  const delivery: LastDelivery = { progress, requests };
  const deadlineMs = performance.now() + timeoutMs;
  // Options for Node, such as other preloads, are for the service.
  const worker = new Worker(import.meta.filename, {
    workerData: { siphonLastDelivery: delivery },
    execArgv: [],
    env: {},
    stdout: true,
    stderr: true,
  });
  worker.unref();
  waitUntilSettled(progress, requests.length, deadlineMs - timeoutMs * STOP_SHARE);
  // The worker does not begin these any more.
  const withdrawn = requests.filter((_, index) => settle(progress, index, State.waiting, State.unsent));
  Atomics.store(progress, STOP, 1);
  Atomics.notify(progress, STOP);
  if (withdrawn.length < requests.length) waitUntilSettled(progress, requests.length, deadlineMs);
  return requests.map((_, index) => Atomics.load(progress, FIRST_STATE + index));
}

function waitUntilSettled(progress: Int32Array, count: number, deadlineMs: number): void {
  for (let settled = Atomics.load(progress, SETTLED); settled < count; settled = Atomics.load(progress, SETTLED)) {
    const waitMs = deadlineMs - performance.now();
    if (waitMs <= 0 || Atomics.wait(progress, SETTLED, settled, waitMs) === 'timed-out') return;
  }
}

/** Returns false if the request has another state than expected. */
function settle(progress: Int32Array, index: number, expected: number, state: number): boolean {
  if (Atomics.compareExchange(progress, FIRST_STATE + index, expected, state) !== expected) return false;
  Atomics.add(progress, SETTLED, 1);
  Atomics.notify(progress, SETTLED);
  return true;
}

function deliverInWorker({ requests, progress }: LastDelivery): void {
  const begun: (() => void)[] = [];
  for (const [index, request] of requests.entries()) {
    const state = FIRST_STATE + index;
    if (Atomics.compareExchange(progress, state, State.waiting, State.begun) !== State.waiting) continue;
    begun.push(postInWorker(request, (reached) => void settle(progress, index, State.begun, reached)));
  }
  const onStop = (): void => begun.forEach((stop) => stop());
  const order = Atomics.waitAsync(progress, STOP, 0);
  if (order.async) void order.value.then(onStop);
  else onStop();
}

/** Reports the state once. Returns a function that cuts off an incomplete request. */
function postInWorker({ url, headers, tls, ...request }: LastRequest, report: (state: number) => void): () => void {
  const body = request.compression === 'gzip' ? gzipSync(request.body) : request.body;
  const options = { method: 'POST', headers: { ...headers, 'Content-Length': body.byteLength }, ...tls };
  const sent = url.startsWith('https:') ? https.request(url, options) : http.request(url, options);
  sent.once('response', (response) => {
    response.resume();
    report(RETRYABLE_STATUSES.has(response.statusCode ?? 0) ? State.unsent : State.sent);
  });
  let isComplete = false;
  sent.on('error', () => report(isComplete ? State.unknown : State.unsent));
  sent.end(body, () => (isComplete = true));
  return () => {
    if (!isComplete) sent.destroy();
    report(isComplete ? State.unknown : State.unsent);
  };
}

/** True for the error of a request to an address where nothing listens. */
export function isRefusal(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
}

const { siphonLastDelivery } = (workerData ?? {}) as { readonly siphonLastDelivery?: LastDelivery };
if (!isMainThread && siphonLastDelivery !== undefined) deliverInWorker(siphonLastDelivery);
