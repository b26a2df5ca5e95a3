import { hash } from 'node:crypto';
import { textOfException, type RecordedException } from './exceptions.ts';

/** The number of errors that are remembered, as long as their spans and log records are on their way. */
const MAX_REMEMBERED = 10_000;
/** The number of spans of one error that are remembered. */
const MAX_SPANS = 100;

/**
 * Recognises errors whose second way, on a span or as a log record, arrives when the first has left. A span that failed
 * twice with the same text had two errors, but one that logged the same text twice had one.
 */
export class ErrorArrivals {
  /** The keys are hashes of trace and text. */
  readonly #known = new Map<string, Arrivals>();

  isNew({ span: { traceId, spanId }, event, record }: RecordedException): boolean {
    if (traceId === '') return true;
    const key = hash('sha1', `${traceId} ${textOfException(event)}`, 'base64');
    const arrivals = this.#known.get(key) ?? { onSpans: 0, loggedIn: new Set<string>() };
    this.#known.set(key, arrivals);
    this.#forgetOldest();
    if (record === undefined) return ++arrivals.onSpans > arrivals.loggedIn.size;
    if (arrivals.onSpans > 0 || arrivals.loggedIn.has(spanId)) return false;
    if (arrivals.loggedIn.size < MAX_SPANS) arrivals.loggedIn.add(spanId);
    return true;
  }

  #forgetOldest(): void {
    if (this.#known.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      return;
    }
  }
}

interface Arrivals {
  /** How many came on spans. */
  onSpans: number;
  /** The ids of the spans that they were logged in. */
  readonly loggedIn: Set<string>;
}
