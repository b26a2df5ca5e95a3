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

/**
 * The data of the worker. `progress` has the number of answers so far, and then the {@link Answer} to each request.
 */
interface LastDelivery {
  readonly progress: Int32Array;
  readonly requests: readonly LastRequest[];
}

const ANSWERED = 0;
const FIRST_ANSWER = 1;

/** `refused`: nothing listens at the endpoint, so it has no part of the request. */
const Answer = { none: 0, any: 1, refused: 2 } as const;

/**
 * Posts all requests together, each a single time, and blocks until all are answered or the time is over. A worker thread
 * sends them, since its event loop still runs: `docs/decisions/0024-last-telemetry-from-a-worker.md`. Requests that are
 * refused already are not sent again.
 *
 * @returns the refused requests.
 */
export function deliverNow(requests: readonly LastRequest[], timeoutMs: number): readonly LastRequest[] {
  if (timeoutMs <= 0) return [];
  const refused = requests.filter(({ isRefused }) => isRefused);
  const sent = requests.filter(({ isRefused }) => !isRefused);
  const answers = sent.length === 0 ? [] : post(sent, timeoutMs);
  return [...refused, ...sent.filter((_, index) => answers[index] === Answer.refused)];
}

/** Returns the answer to each request. */
function post(requests: readonly LastRequest[], timeoutMs: number): readonly number[] {
  const length = FIRST_ANSWER + requests.length;
  const progress = new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
  const delivery: LastDelivery = { progress, requests };
  // Options for Node, such as other preloads, are for the service.
  const worker = new Worker(import.meta.filename, {
    workerData: { siphonLastDelivery: delivery },
    execArgv: [],
    env: {},
    stdout: true,
    stderr: true,
  });
  worker.unref();
  const deadlineMs = performance.now() + timeoutMs;
  for (let answered = 0; answered < requests.length; answered = Atomics.load(progress, ANSWERED)) {
    if (Atomics.wait(progress, ANSWERED, answered, deadlineMs - performance.now()) === 'timed-out') break;
  }
  return requests.map((_, index) => Atomics.load(progress, FIRST_ANSWER + index));
}

function deliverInWorker({ requests, progress }: LastDelivery): void {
  for (const [index, request] of requests.entries()) {
    postInWorker(request, (answer) => {
      Atomics.store(progress, FIRST_ANSWER + index, answer);
      Atomics.add(progress, ANSWERED, 1);
      Atomics.notify(progress, ANSWERED);
    });
  }
}

function postInWorker({ url, headers, tls, ...request }: LastRequest, answered: (answer: number) => void): void {
  const body = request.compression === 'gzip' ? gzipSync(request.body) : request.body;
  const options = { method: 'POST', headers: { ...headers, 'Content-Length': body.byteLength }, ...tls };
  const sent = url.startsWith('https:') ? https.request(url, options) : http.request(url, options);
  sent.once('response', (response) => {
    response.resume();
    answered(Answer.any);
  });
  sent.once('error', (error) => answered(isRefusal(error) ? Answer.refused : Answer.any));
  sent.end(body);
}

/** True for the error of a request to an address where nothing listens. */
export function isRefusal(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
}

const { siphonLastDelivery } = (workerData ?? {}) as { readonly siphonLastDelivery?: LastDelivery };
if (!isMainThread && siphonLastDelivery !== undefined) deliverInWorker(siphonLastDelivery);
