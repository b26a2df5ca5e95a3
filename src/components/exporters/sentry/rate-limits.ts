import type { IncomingHttpHeaders } from 'node:http';
import { parseRetryAfter } from '../../../engine/net/retry-after.ts';

/** The pause after a 429 without further details. */
const DEFAULT_MS = 60_000;
const MAX_CATEGORIES = 100;
const ALL = '';

/**
 * The times until which Sentry does not accept a category, on a monotonic clock. https://develop.sentry.dev/sdk/expected-features/rate-limiting/ */
export class RateLimits {
  readonly #untilMs = new Map<string, number>();

  isLimited(category: string, nowMs: number): boolean {
    return Math.max(this.#untilMs.get(category) ?? 0, this.#untilMs.get(ALL) ?? 0) > nowMs;
  }

  /** Stores the limits of an answer of any status: successful answers contain them too. */
  update(status: number, headers: IncomingHttpHeaders, nowMs: number): void {
    const detailed = headers['x-sentry-rate-limits'];
    if (typeof detailed === 'string') this.#updateDetailed(detailed, nowMs);
    else if (status === 429) this.#extend(ALL, nowMs + (parseRetryAfter(headers['retry-after']) ?? DEFAULT_MS));
  }

  /** `seconds:category;category:scope:reason:namespaces, …`; no category means all. */
  #updateDetailed(header: string, nowMs: number): void {
    for (const limit of header.split(',')) {
      const [seconds = '', categories = ''] = limit.trim().split(':');
      const waitMs = parseRetryAfter(seconds) ?? DEFAULT_MS;
      for (const category of categories.split(';')) this.#extend(category, nowMs + waitMs);
    }
  }

  /** Keeps the longer limit, because a later answer may be less specific. */
  #extend(category: string, untilMs: number): void {
    if (!this.#untilMs.has(category) && this.#untilMs.size >= MAX_CATEGORIES) return;
    this.#untilMs.set(category, Math.max(untilMs, this.#untilMs.get(category) ?? 0));
  }
}
