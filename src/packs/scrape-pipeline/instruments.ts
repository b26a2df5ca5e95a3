/**
 * `siphon-otel/pipeline`: what a scraping pipeline records about itself. Names and labels are the catalogue's, so a
 * wrong label does not compile. Everything goes to the OpenTelemetry API: to whatever SDK the process has, and nowhere
 * when it has none. Recording never throws and never waits.
 */
import type { LabelValues } from '../../metrics/metric.ts';
import { httpStatuses } from './labels.ts';
import { pipelineMetrics } from './pipeline-metrics.ts';
import { counter, histogram } from '../../sdk/instruments.ts';

export { operations, type Operation } from './operations.ts';
export { withBackoff, type BackoffOptions } from '../../sdk/backoff.ts';
export { runOperation } from '../../sdk/operation.ts';
export { observeProcess } from '../../sdk/process-observer.ts';

type Metrics = typeof pipelineMetrics;

export type FetchLabels = LabelValues<Metrics['fetch_latency_seconds']>;
export type FetchErrorType = LabelValues<Metrics['fetch_errors_total']>['error_type'];
export type ArtifactLabels = Omit<LabelValues<Metrics['artifacts_total']>, 'status'>;
export type ValidationErrorLabels = LabelValues<Metrics['validation_errors_total']>;
export type StorageOperationLabels = LabelValues<Metrics['storage_operations_total']>;
export type RpcLabels = LabelValues<Metrics['rpc_operations_total']>;
export type DatabaseQueryLabels = Omit<LabelValues<Metrics['database_queries_total']>, 'success'>;
export type PriceLabels = LabelValues<Metrics['price_changes_total']>;
export type PriceSpikeLabels = LabelValues<Metrics['price_spike_alerts_total']>;
export type PriceJobLabels = LabelValues<Metrics['price_job_duration_seconds']> &
  LabelValues<Metrics['price_job_success_total']>;
export type PriceJobErrorType = LabelValues<Metrics['price_job_failures_total']>['error_type'];

const recordFetchLatency = histogram(pipelineMetrics.fetch_latency_seconds);
const countFetchError = counter(pipelineMetrics.fetch_errors_total);
const countArtifact = counter(pipelineMetrics.artifacts_total);
const countQuery = counter(pipelineMetrics.database_queries_total);
const recordJobDuration = histogram(pipelineMetrics.price_job_duration_seconds);
const countJobSuccess = counter(pipelineMetrics.price_job_success_total);
const countJobFailure = counter(pipelineMetrics.price_job_failures_total);

/**
 * One request to a store. `result` is the HTTP status, or what went wrong when the answer is not usable. The latency of
 * a request that got no answer is not recorded, since nothing is known of the store's own time.
 */
export function recordFetch(labels: FetchLabels, seconds: number, result: number | FetchErrorType): void {
  if (result !== 'timeout' && result !== 'connection') recordFetchLatency(labels, seconds);
  const errorType = typeof result === 'number' ? errorTypeOf(result) : result;
  if (errorType !== undefined) countFetchError({ ...labels, error_type: errorType });
}

/** One raw artifact; `httpStatus` is undefined when no answer came. */
export function recordArtifact(labels: ArtifactLabels, httpStatus: number | undefined): void {
  const status = httpStatuses.find((known) => known === String(httpStatus ?? 'none')) ?? 'other';
  countArtifact({ ...labels, status });
}

export const recordValidationError: (labels: ValidationErrorLabels) => void = counter(
  pipelineMetrics.validation_errors_total,
);

export const recordStorageOperation: (labels: StorageOperationLabels) => void = counter(
  pipelineMetrics.storage_operations_total,
);

export const recordRpc: (labels: RpcLabels) => void = counter(pipelineMetrics.rpc_operations_total);

export function recordDatabaseQuery(query: DatabaseQueryLabels & { readonly success: boolean }): void {
  countQuery({ ...query, success: query.success ? 'true' : 'false' });
}

/** One recorded price that differs from the previous one. */
export const recordPriceChange: (labels: PriceLabels) => void = counter(pipelineMetrics.price_changes_total);

export const recordPriceSpike: (labels: PriceSpikeLabels) => void = counter(pipelineMetrics.price_spike_alerts_total);

/** One price job: failed when `errorType` is given. */
export function recordPriceJob(labels: PriceJobLabels, seconds: number, errorType?: PriceJobErrorType): void {
  recordJobDuration(labels, seconds);
  if (errorType === undefined) countJobSuccess(labels);
  else countJobFailure({ ...labels, error_type: errorType });
}

/** 304 says that nothing changed, which is what was asked. */
function errorTypeOf(status: number): FetchErrorType | undefined {
  if (status === 429) return 'rate_limited';
  if (status >= 500) return 'http_5xx';
  return status >= 400 ? 'http_4xx' : undefined;
}
