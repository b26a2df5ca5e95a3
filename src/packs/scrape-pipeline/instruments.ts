/**
 * `siphon-otel/pipeline`: records what a scraping pipeline does. A wrong label does not compile. Everything goes to the
 * OpenTelemetry API: to the SDK that the process has, or nowhere. Recording never throws and never waits.
 */
import type { LabelValues } from '../../metrics/metric.ts';
import { httpStatuses } from './labels.ts';
import { pipelineMetrics } from './pipeline-metrics.ts';
import { createRunOperation, instruments, type RunOperation } from '../../sdk/instruments.ts';
import { operations, type Operation } from './operations.ts';

export { observeProcess, withBackoff, type BackoffOptions } from '../../sdk/instruments.ts';
export { operations, type Operation };

type Metrics = typeof pipelineMetrics;

export type FetchLabels = LabelValues<Metrics['fetch_latency_seconds']>;
export type FetchErrorType = LabelValues<Metrics['fetch_errors_total']>['error_type'];
export type ArtifactLabels = Omit<LabelValues<Metrics['artifacts_total']>, 'status'>;
export type ValidationErrorLabels = LabelValues<Metrics['validation_errors_total']>;
export type ValidationLabels = Omit<LabelValues<Metrics['validation_products']>, 'outcome'>;
export type StorageOperationLabels = LabelValues<Metrics['storage_operations_total']>;
export type RpcLabels = LabelValues<Metrics['rpc_operations_total']>;
export type DatabaseQueryLabels = Omit<LabelValues<Metrics['database_queries_total']>, 'success'>;
export type PriceLabels = LabelValues<Metrics['price_changes_total']>;
export type PriceSpikeLabels = LabelValues<Metrics['price_spike_alerts_total']>;
export type PriceJobLabels = LabelValues<Metrics['price_job_duration_seconds']> &
  LabelValues<Metrics['price_job_success_total']>;
export type PriceJobErrorType = LabelValues<Metrics['price_job_failures_total']>['error_type'];

const record = instruments(pipelineMetrics);

/** Runs an operation of the pipeline as a span, for example `A.2 fetch`, and records its duration and outcome. */
export const runOperation: RunOperation<Operation, { readonly source: string }> = createRunOperation({
  namespace: 'pipeline',
  operations,
  duration: pipelineMetrics.pipeline_operation_duration_seconds,
});

/**
 * Records one request to a store. `result` is the HTTP status, or the kind of failure if the response is not usable.
 * Without a response the latency is not recorded, because it does not show how fast the store is.
 */
export function recordFetch(labels: FetchLabels, seconds: number, result: number | FetchErrorType): void {
  if (result !== 'timeout' && result !== 'connection') record.fetch_latency_seconds(labels, seconds);
  const errorType = typeof result === 'number' ? errorTypeOf(result) : result;
  if (errorType !== undefined) record.fetch_errors_total({ ...labels, error_type: errorType });
}

/** Counts one raw artifact; `httpStatus` is undefined without a response. */
export function recordArtifact(labels: ArtifactLabels, httpStatus: number | undefined): void {
  const status = httpStatuses.find((known) => known === String(httpStatus ?? 'none')) ?? 'other';
  record.artifacts_total({ ...labels, status });
}

export const recordValidationError: (labels: ValidationErrorLabels) => void = record.validation_errors_total;

/** Records of how many products one validation found a problem, each product once. */
export function recordValidation(labels: ValidationLabels, { valid, invalid }: ValidatedProducts): void {
  record.validation_products({ ...labels, outcome: 'valid' }, valid);
  record.validation_products({ ...labels, outcome: 'invalid' }, invalid);
}

/** Numbers of products. */
export interface ValidatedProducts {
  readonly valid: number;
  readonly invalid: number;
}

export const recordStorageOperation: (labels: StorageOperationLabels) => void = record.storage_operations_total;

export const recordRpc: (labels: RpcLabels) => void = record.rpc_operations_total;

export function recordDatabaseQuery(query: DatabaseQueryLabels & { readonly success: boolean }): void {
  record.database_queries_total({ ...query, success: query.success ? 'true' : 'false' });
}

/** Counts one recorded price that differs from the previous one. */
export const recordPriceChange: (labels: PriceLabels) => void = record.price_changes_total;

/** Counts one price beyond the roaster’s alert threshold. A price that the shop marks as a sale is not a spike. */
export const recordPriceSpike: (labels: PriceSpikeLabels) => void = record.price_spike_alerts_total;

/** Records one price job, which failed if `errorType` is given. */
export function recordPriceJob(labels: PriceJobLabels, seconds: number, errorType?: PriceJobErrorType): void {
  record.price_job_duration_seconds(labels, seconds);
  if (errorType === undefined) record.price_job_success_total(labels);
  else record.price_job_failures_total({ ...labels, error_type: errorType });
}

/** A 304 is a success: the store confirms that nothing changed. */
function errorTypeOf(status: number): FetchErrorType | undefined {
  if (status === 429) return 'rate_limited';
  if (status >= 500) return 'http_5xx';
  return status >= 400 ? 'http_4xx' : undefined;
}
