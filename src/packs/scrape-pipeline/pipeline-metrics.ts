/** Metrics of the pipeline's own processes, through `siphon-otel/pipeline`. The keys are the Prometheus names. */
import { jobSeconds, operationSeconds, requestSeconds } from './buckets.ts';
import {
  currency,
  fetchErrorTypes,
  httpStatuses,
  jobErrorTypes,
  jobTypes,
  outcomes,
  platforms,
  roaster,
  source,
} from './labels.ts';
import type { Metric } from '../../metrics/metric.ts';
import { serviceMetrics } from '../../metrics/service.ts';
import { operationIds } from './operations.ts';

export const pipelineMetrics = {
  pipeline_operation_duration_seconds: {
    source: 'sdk',
    kind: 'histogram',
    name: 'pipeline.operation.duration',
    unit: 's',
    description: 'Duration of the operations A.1 to A.5 and B.1 to B.3 (the product source is on the spans)',
    labels: { operation: operationIds, outcome: outcomes },
    buckets: operationSeconds,
  },
  fetch_latency_seconds: {
    source: 'sdk',
    kind: 'histogram',
    name: 'fetch.latency',
    unit: 's',
    description: 'Time from a request to a store until the body is read, for any HTTP status',
    labels: { source, platform: platforms },
    buckets: requestSeconds,
  },
  fetch_errors_total: {
    source: 'sdk',
    kind: 'counter',
    name: 'fetch.errors',
    unit: '{error}',
    description: 'Requests to stores without a usable response',
    labels: { source, platform: platforms, error_type: fetchErrorTypes },
  },
  artifacts_total: {
    source: 'sdk',
    kind: 'counter',
    name: 'artifacts',
    unit: '{artifact}',
    description:
      'Raw artifacts that were fetched, by the HTTP status of the response (the database has them by roaster)',
    labels: { platform: platforms, status: httpStatuses },
  },
  validation_errors_total: {
    source: 'sdk',
    kind: 'counter',
    name: 'validation.errors',
    unit: '{error}',
    description: 'Problems found in fetched products',
    labels: {
      source,
      platform: platforms,
      reason: ['missing_field', 'invalid_price', 'invalid_currency', 'no_variants', 'malformed'],
    },
  },
  validation_products: {
    source: 'sdk',
    kind: 'gauge',
    name: 'validation.products',
    unit: '{product}',
    description: 'Products that were validated last, by whether validation found a problem',
    labels: { source, platform: platforms, outcome: ['valid', 'invalid'] },
  },
  storage_operations_total: {
    source: 'sdk',
    kind: 'counter',
    name: 'storage.operations',
    unit: '{operation}',
    description: 'Reads and writes of raw artifacts',
    labels: { operation: ['read', 'write', 'delete'], outcome: outcomes },
  },
  rpc_operations_total: {
    ...serviceMetrics.rpc_operations_total,
    labels: {
      rpc: [
        'rpc_scrape_run_start',
        'rpc_scrape_run_finish',
        'rpc_record_artifact',
        'rpc_upsert_coffee',
        'rpc_upsert_variant',
        'rpc_insert_price',
      ],
      outcome: outcomes,
    },
  },
  database_queries_total: serviceMetrics.database_queries_total,
  price_job_duration_seconds: {
    source: 'sdk',
    kind: 'histogram',
    name: 'price.job.duration',
    unit: 's',
    description: 'Duration of price jobs, successful or not (the database has the runs by roaster)',
    labels: { job_type: jobTypes },
    buckets: jobSeconds,
  },
  price_job_success_total: {
    source: 'sdk',
    kind: 'counter',
    name: 'price.job.success',
    unit: '{job}',
    description: 'Price jobs that succeeded',
    labels: { roaster },
  },
  price_job_failures_total: {
    source: 'sdk',
    kind: 'counter',
    name: 'price.job.failures',
    unit: '{job}',
    description: 'Price jobs that failed',
    labels: { roaster, error_type: jobErrorTypes },
  },
  price_changes_total: {
    source: 'sdk',
    kind: 'counter',
    name: 'price.changes',
    unit: '{change}',
    description: 'Variants whose price differs from the last recorded price',
    labels: { roaster, currency },
  },
  price_spike_alerts_total: {
    source: 'sdk',
    kind: 'counter',
    name: 'price.spike.alerts',
    unit: '{alert}',
    description:
      'Price changes beyond the roaster\u2019s alert threshold, without prices that the shop marks as a sale',
    labels: { roaster, currency },
  },
  rate_limit_errors_total: serviceMetrics.rate_limit_errors_total,
} as const satisfies Record<string, Metric>;
