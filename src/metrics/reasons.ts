/**
 * The reasons that siphon's own metrics count losses and failures under. They are stable: alerts name them.
 *
 * A reason is transient if its cause may be gone with the next attempt. Its counter starts at zero, so that a rate sees
 * the only increment. A lasting cause is counted by every attempt, so a rate sees the second one.
 */

/** Why a component refused telemetry, or lost it. */
export const failureReasons = [
  'queue_full',
  'storage',
  'corrupt',
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

export const transientFailureReasons = [
  'queue_full',
  'corrupt',
  'too_large',
  'memory_limit',
  'network_error',
  'rate_limited',
  'http_5xx',
  'internal',
] as const satisfies readonly FailureReason[];

/** Why a receiver rejects a request: because of the request itself, or because of the pipeline behind the receiver. */
export const rejectionReasons = [
  'malformed',
  'too_many_messages',
  'unsupported_encoding',
  'unauthenticated',
  'not_found',
  'method',
  'media_type',
  'aborted',
  'in_flight',
  ...failureReasons,
] as const;

export type RejectionReason = (typeof rejectionReasons)[number];

/** A sender with a wrong configuration is rejected each time. */
export const transientRejectionReasons = [
  'malformed',
  'too_many_messages',
  'too_large',
  'aborted',
  'memory_limit',
  'queue_full',
  'internal',
] as const satisfies readonly RejectionReason[];

/**
 * The fate of a file that a service left for the receiver. `untrusted`: another user could have written it. `lost`: the
 * directory was full, or nothing read the file in time.
 */
export const spoolOutcomes = ['accepted', 'rejected', 'expired', 'untrusted', 'lost'] as const;

/** Why a data point is not on the scrape page of the `prometheus` exporter. */
export const scrapePageDropReasons = [
  'type_conflict',
  'duplicate_series',
  'max_series',
  'too_large',
  'max_series_bytes',
  'invalid_name',
  'invalid_buckets',
  'labels_too_long',
  'no_value',
  'out_of_order',
  'unsupported',
] as const;

/**
 * Why an item did not reach Sentry. `disabled`: no DSN is set. `no_project`: none is for the service. `duplicate`: Sentry
 * has it already. `no_exception`: a log record does not describe an error. `idle_connection`: a pool did not have to wait
 * or connect.
 */
export const sentryDropReasons = [
  ...failureReasons,
  'invalid_time',
  'invalid_ids',
  'duplicate',
  'no_exception',
  'idle_connection',
  'disabled',
  'no_project',
] as const;

export type SentryDropReason = (typeof sentryDropReasons)[number];

export const transientSentryDropReasons = [
  'queue_full',
  'ratelimit_backoff',
  'rate_limited',
  'network_error',
  'send_error',
  'too_large',
] as const satisfies readonly SentryDropReason[];

/** Why `exemplars` cannot link a span to a measurement. `late`: the points of its interval have passed. */
export const unlinkedSpanReasons = [
  'late',
  'max_spans',
  'max_series',
  'too_large',
  'invalid_time',
  'invalid_ids',
] as const;

/** Where the randomness of a decision about a trace comes from. */
export const samplingPolicies = [
  'trace_id_hash',
  'trace_id_w3c',
  'sampling_randomness',
  'sampling_priority',
  'missing_randomness',
] as const;

/** The decisions of `tail_sampling` about a trace. */
export const samplingVerdicts = ['sampled', 'not_sampled', 'dropped'] as const;

/** Why `tail_sampling` decides about a trace before its time. */
export const earlyDecisionReasons = ['num_traces', 'max_size', 'shutdown'] as const;

/** Why `tail_sampling` removes an exemplar: its trace is not kept, or was decided before the start of the process. */
export const removedExemplarReasons = ['not_sampled', 'unknown'] as const;

/** Why `span_metrics` does not count a span. */
export const uncountedSpanReasons = ['no_service_name', 'max_resources'] as const;

/**
 * A decision of `exemplars` about a bucket that a span may belong to: it does, several may, the span is too close to a
 * bound, or the bucket has no such measurement.
 */
export const exemplarOutcomes = ['linked', 'ambiguous', 'uncertain', 'not_counted'] as const;

/** Why an item is not in the `telemetry_store`. */
export const storeDropReasons = ['invalid_ids'] as const;

/**
 * Why accepted items are lost. `partial_success`: the backend refused them in a
 * response that otherwise accepted the request. `not_sampled`: the configuration asks for it.
 */
export const ledgerReasons = [
  ...new Set([
    ...failureReasons,
    ...sentryDropReasons,
    ...scrapePageDropReasons,
    'partial_success',
    'not_sampled',
  ] as const),
] as const;

export type LedgerReason = (typeof ledgerReasons)[number];

/** Why a query failed. */
export const postgresFailures = [
  'connection',
  'unavailable',
  'too_many_connections',
  'authentication',
  'missing_database',
  'timeout',
  'lock_timeout',
  'recovery_conflict',
  'permission',
  'missing_table',
  'missing_column',
  'read_only',
  'too_many_rows',
  'too_many_keys',
  'pooler',
  'other',
] as const;

/** Why a poll published nothing. */
export const pollFailures = [...postgresFailures, 'pipeline_refused', 'storage', 'internal'] as const;

export const transientPollFailures = [
  'connection',
  'unavailable',
  'too_many_connections',
  'timeout',
  'lock_timeout',
  'recovery_conflict',
] as const satisfies readonly (typeof pollFailures)[number][];

/** Why the database poller did not publish a point. */
export const pollerDropReasons = ['not_a_number', 'negative', 'unmergeable', 'invalid_cron'] as const;

/** Why the database poller published a label value as `other` or `unknown`. */
export const replacedReasons = ['unlisted', 'budget', 'too_long'] as const;

/** Why a counter of rows started again, although it had a total. */
export const rebaselineReasons = ['identity', 'horizon', 'rewritten', 'attached', 'changed', 'corrupt'] as const;

/** Why a row of `sqlquery` did not become a point or a log record. */
export const rowDropReasons = ['null', 'missing_column', 'not_a_number', 'bad_timestamp'] as const;

/** Why a space of the storage could not be opened, read or written. `corrupt`: its content is lost, and it starts empty. */
export const storageFailures = ['full', 'corrupt', 'unwritable', 'locked', 'closed', 'other'] as const;
