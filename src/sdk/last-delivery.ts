/** Delivers requests while the process ends and its event loop does not run any more. */
import http from 'node:http';
import https from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

export interface LastRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** PEM, for https. */
  readonly tls: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>;
}

/** The data of the worker. `progress` has two numbers: the answers so far, and those of them that accepted. */
interface LastDelivery {
  readonly progress: Int32Array;
  readonly requests: readonly LastRequest[];
}

const ANSWERED = 0;
const ACCEPTED = 1;

/**
 * Posts all requests together, each a single time, and blocks until all are answered or the time is over. A worker thread
 * sends them, since its event loop still runs: `docs/decisions/0024-last-telemetry-from-a-worker.md`.
 *
 * @returns how many requests were accepted.
 */
export function deliverNow(requests: readonly LastRequest[], timeoutMs: number): number {
  if (requests.length === 0 || timeoutMs <= 0) return 0;
  const progress = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
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
  return Atomics.load(progress, ACCEPTED);
}

function deliverInWorker({ requests, progress }: LastDelivery): void {
  for (const request of requests) {
    post(request, (isAccepted) => {
      if (isAccepted) Atomics.add(progress, ACCEPTED, 1);
      Atomics.add(progress, ANSWERED, 1);
      Atomics.notify(progress, ANSWERED);
    });
  }
}

function post({ url, headers, body, tls }: LastRequest, answered: (isAccepted: boolean) => void): void {
  const options = { method: 'POST', headers: { ...headers, 'Content-Length': body.byteLength }, ...tls };
  const request = url.startsWith('https:') ? https.request(url, options) : http.request(url, options);
  request.once('response', (response) => {
    const { statusCode = 0 } = response.resume();
    answered(statusCode >= 200 && statusCode <= 299);
  });
  request.once('error', () => answered(false));
  request.end(body);
}

const { siphonLastDelivery } = (workerData ?? {}) as { readonly siphonLastDelivery?: LastDelivery };
if (!isMainThread && siphonLastDelivery !== undefined) deliverInWorker(siphonLastDelivery);
