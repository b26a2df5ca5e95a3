/** Finds out whether an answer or an error asks to slow down. */

export interface RateLimit {
  /** Absent when it does not say how long. */
  readonly retryAfterMs?: number;
}

/** too_many_connections and configuration_limit_exceeded: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const POSTGRESQL_CODES: ReadonlySet<unknown> = new Set(['53300', '53400']);
const HTTP_STATUSES: ReadonlySet<unknown> = new Set([429, 503]);

/**
 * Undefined when `answer`, a response or something thrown, does not ask to slow down. Status and headers are looked for
 * where fetch, undici and the usual HTTP clients put them: on the answer itself or on its `response`. A `Retry-After`
 * of an answer that is no error (a 202, a redirect) asks for something else.
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
 * `Retry-After` in its two forms, seconds or an HTTP date (https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3).
 * Undefined when it is neither; a date in the past is 0.
 */
export function parseRetryAfter(value: string, nowMs = Date.now()): number | undefined {
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) || !value.endsWith('GMT') ? undefined : Math.max(0, atMs - nowMs);
}

/** From a `Headers` of any library, or from a plain object, in whatever case it keeps the names. */
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
