/** Recognises the requests that Sentry's SDKs send to Sentry: telemetry, and not work of the service. */

const ENVELOPE = /^\/(?:.+\/)?api\/\d+\/envelope\/?(?:\?|$)/;

/** @param path with the query. */
export function isSentryRequest(path: string | null | undefined): boolean {
  return typeof path === 'string' && ENVELOPE.test(path);
}
