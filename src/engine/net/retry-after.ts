/** A server that asks for more has made a mistake, or means harm. */
const MAX_MS = 3_600_000;

/**
 * Milliseconds from a `Retry-After` header, which is a number of seconds or a date. Undefined if it is absent or
 * invalid; at most an hour. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 */
export function parseRetryAfter(header: string | undefined, nowMs = Date.now()): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Number(text) * 1000, MAX_MS);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.min(Math.max(0, date - nowMs), MAX_MS);
}
