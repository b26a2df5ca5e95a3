/** Checks if a response or an error asks to slow down. */

export interface RateLimit {
  /** Absent without a `Retry-After`. */
  readonly retryAfterMs?: number;
}

/** too_many_connections and configuration_limit_exceeded: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const POSTGRESQL_CODES: ReadonlySet<unknown> = new Set(['53300', '53400']);
const HTTP_STATUSES: ReadonlySet<unknown> = new Set([429, 503]);

/**
 * Returns undefined if `answer`, a response or an error, does not ask to slow down. Status and headers are read where
 * fetch, undici and the usual HTTP clients have them: on the answer or on its `response`. A `Retry-After` of a success (a
 * 202, a redirect) has another meaning.
 */
export function readRateLimit(answer: unknown): RateLimit | undefined {
  if (!isObject(answer)) return undefined;
  if (POSTGRESQL_CODES.has(answer['code'])) return {};
  const response = isObject(answer['response']) ? answer['response'] : answer;
  const status = response['status'] ?? response['statusCode'];
  if (typeof status !== 'number' || status < 400) return undefined;
  const retryAfterMs = parseRetryAfter(header(response['headers'], 'retry-after') ?? '');
  if (retryAfterMs !== undefined) return { retryAfterMs };
  return HTTP_STATUSES.has(status) ? {} : undefined;
}

/**
 * Parses both forms of `Retry-After`, seconds and an HTTP date (https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3).
 * Returns undefined for other text, and 0 for a date in the past.
 */
export function parseRetryAfter(value: string, nowMs = Date.now()): number | undefined {
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) || !value.endsWith('GMT') ? undefined : Math.max(0, atMs - nowMs);
}

/** Reads a header from a `Headers` object of any library, or from a plain object with names in any case. */
function header(headers: unknown, name: string): string | undefined {
  if (!isObject(headers)) return undefined;
  const { get } = headers;
  const value: unknown =
    typeof get === 'function'
      ? get.call(headers, name)
      : Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : undefined;
}

function isObject(value: unknown): value is Readonly<{ [key: string]: unknown }> {
  return typeof value === 'object' && value !== null;
}
