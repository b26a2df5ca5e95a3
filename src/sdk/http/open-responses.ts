/** Ends the spans of requests whose response the service does not read to its end. */
import { diag } from '@opentelemetry/api';

/** The longest time in which nothing of a response that is still read arrives. */
const IDLE_MS = 60_000;

export interface OpenResponse {
  /** Changes while more of the response arrives. */
  readonly progress: () => unknown;
  /** Ends the span as it was so long ago. */
  readonly end: (agoMs: number) => void;
}

interface Watched {
  readonly response: OpenResponse;
  progress: unknown;
  progressAtMs: number;
}

/** The keys are the spans or calls. */
const open = new Map<object, Watched>();
let timer: NodeJS.Timeout | undefined;

/** The head of the response has arrived. */
export function watchResponse(request: object, response: OpenResponse): void {
  open.set(request, { response, progress: response.progress(), progressAtMs: performance.now() });
  timer ??= setInterval(endIdle, IDLE_MS / 4).unref();
}

/** The span has ended. */
export function forgetResponse(request: object): void {
  if (!open.delete(request) || open.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}

/** The process ends. */
export function endOpenResponses(): void {
  for (const [request, watched] of open) end(request, watched, 0);
}

function endIdle(): void {
  const nowMs = performance.now();
  for (const [request, watched] of open) {
    const progress = watched.response.progress();
    if (progress !== watched.progress) Object.assign(watched, { progress, progressAtMs: nowMs });
    else if (nowMs - watched.progressAtMs >= IDLE_MS) end(request, watched, nowMs - watched.progressAtMs);
  }
}

function end(request: object, { response }: Watched, agoMs: number): void {
  forgetResponse(request);
  try {
    response.end(agoMs);
  } catch (error) {
    diag.warn('siphon: the span of a response is lost', error);
  }
}
