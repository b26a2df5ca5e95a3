/** Why a component did not take telemetry, or lost it: what its errors are counted under. */
export const failureReasons = [
  'queue_full',
  'too_large',
  'memory_limit',
  'network_error',
  'rate_limited',
  'http_4xx',
  'http_5xx',
  'http_other',
  'invalid_response',
  'ratelimit_backoff',
  'send_error',
  'no_pipeline',
  'not_running',
  'shutdown',
  'internal',
] as const;

export type FailureReason = (typeof failureReasons)[number];

/** Why a request is not taken: by itself, or because of who was to take what is in it. */
export const rejectionReasons = [
  'malformed',
  'unsupported_encoding',
  'unauthenticated',
  'not_found',
  'method',
  'media_type',
  'aborted',
  ...failureReasons,
] as const;

export type RejectionReason = (typeof rejectionReasons)[number];
