/** Sentry's span statuses: the names of gRPC's codes. https://develop.sentry.dev/sdk/telemetry/traces/span-status/ */

/** In the order of gRPC's numbers. */
export const sentryStatuses = [
  'ok',
  'cancelled',
  'unknown_error',
  'invalid_argument',
  'deadline_exceeded',
  'not_found',
  'already_exists',
  'permission_denied',
  'resource_exhausted',
  'failed_precondition',
  'aborted',
  'out_of_range',
  'unimplemented',
  'internal_error',
  'unavailable',
  'data_loss',
  'unauthenticated',
] as const;

export type SentryStatus = (typeof sentryStatuses)[number];

const httpStatuses: Readonly<Record<number, SentryStatus>> = {
  401: 'unauthenticated',
  403: 'permission_denied',
  404: 'not_found',
  409: 'already_exists',
  413: 'failed_precondition',
  429: 'resource_exhausted',
  499: 'cancelled',
  501: 'unimplemented',
  503: 'unavailable',
  504: 'deadline_exceeded',
};

export function statusFromHttp(status: number): SentryStatus {
  if (status < 400) return 'ok';
  return httpStatuses[status] ?? (status < 500 ? 'invalid_argument' : 'internal_error');
}

export function statusFromGrpc(code: number | undefined): SentryStatus | undefined {
  return code === undefined ? undefined : sentryStatuses[code];
}
