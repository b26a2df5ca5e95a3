import * as v from 'valibot';
import { endpoint, positiveDuration, positiveInteger, timerDuration } from '../../../engine/schema/fields.ts';
import { storageReference } from '../../../engine/schema/extension-reference.ts';
import { httpServerEntries } from '../../../engine/schema/http-server.ts';
import type { EvaluationSettings } from '../../../promql/evaluate.ts';
import { notifyConfig } from './notify/config.ts';

/** The answers are for programs and for Grafana's server, never for pages of other sites. */
const { cors: _, ...serverEntries } = httpServerEntries;

const rulesConfig = v.strictObject({
  packs: v.optional(v.array(v.string())),
  rule_files: v.optional(v.array(v.pipe(v.string(), v.nonEmpty())), []),
  settings_file: v.optional(v.pipe(v.string(), v.nonEmpty())),
  interval: v.optional(v.pipe(timerDuration(), v.minValue(1000, 'must be at least 1s')), '1m'),
  limit: v.optional(positiveInteger(), 1000),
  max_bytes: v.optional(
    v.pipe(positiveInteger(), v.minValue(1_048_576, 'must be at least 1048576 (1 MiB)')),
    16_777_216,
  ),
  notify: v.optional(notifyConfig),
});

export type RulesConfig = v.InferOutput<typeof rulesConfig>;

export const metricsHistoryConfig = v.optional(
  v.strictObject({
    endpoint: v.optional(endpoint('127.0.0.1:8002'), '127.0.0.1:8002'),
    ...serverEntries,
    max_connections: v.optional(positiveInteger(), 100),
    interval: v.optional(v.pipe(timerDuration(), v.minValue(1000, 'must be at least 1s')), '5s'),
    retention: v.optional(positiveDuration(), '1h'),
    max_bytes: v.optional(
      v.pipe(positiveInteger(), v.minValue(1_048_576, 'must be at least 1048576 (1 MiB)')),
      67_108_864,
    ),
    lookback: v.optional(positiveDuration(), '5m'),
    query_timeout: v.optional(v.pipe(positiveDuration(), v.maxValue(30_000, 'must be at most 30s')), '10s'),
    max_query_samples: v.optional(positiveInteger(), 10_000_000),
    max_query_series: v.optional(positiveInteger(), 50_000),
    storage: v.optional(storageReference),
    rules: v.optional(rulesConfig),
  }),
  {},
);

export type MetricsHistoryConfig = v.InferOutput<typeof metricsHistoryConfig> & {
  /** Subjects of the components in use. Undefined if they are not known. */
  readonly subjects?: readonly string[];
};

/** The step of subqueries without one: the interval of rules that Prometheus has by default. */
const SUBQUERY_STEP_MS = 60_000;

export function evaluationSettings(config: MetricsHistoryConfig): EvaluationSettings {
  return {
    lookbackMs: config.lookback,
    subqueryStepMs: SUBQUERY_STEP_MS,
    maxSamples: config.max_query_samples,
    maxSeries: config.max_query_series,
    timeoutMs: config.query_timeout,
  };
}

/** siphon reads no metadata, and answers have a timeout of their own. */
export function idleKeys({ include_metadata, write_timeout }: MetricsHistoryConfig): Readonly<Record<string, boolean>> {
  return { include_metadata, write_timeout: write_timeout > 0 };
}
