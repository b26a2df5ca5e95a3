import * as v from 'valibot';
import { endpoint, nonNegativeInteger, positiveDuration, positiveInteger } from '../../../engine/schema/fields.ts';
import { historyReference } from '../../../engine/schema/extension-reference.ts';
import { httpServerEntries } from '../../../engine/schema/http-server.ts';
import type { Naming } from './names/naming.ts';

const strategies = [
  'UnderscoreEscapingWithSuffixes',
  'UnderscoreEscapingWithoutSuffixes',
  'NoUTF8EscapingWithSuffixes',
  'NoTranslation',
] as const;

/** A name that cannot become a label would break every page, so it is an error at the start. */
const constLabelName = v.pipe(
  v.string(),
  v.check(
    (name) => /[^_]/.test(name) && !name.startsWith('__') && !name.includes('\0'),
    'must be a label name: not empty, not beginning with __',
  ),
  v.check(
    (name) => name !== 'le' && name !== 'quantile',
    'must not be le or quantile, which histograms and summaries need',
  ),
);

const patterns = v.optional(v.array(v.string()), []);

/** Addresses of the arena have 32 bits. */
const MAX_SERIES_BYTES = 2 * 1024 * 1024 * 1024;

const seriesBytes = v.pipe(positiveInteger(), v.maxValue(MAX_SERIES_BYTES, 'must be at most 2147483648 (2 GiB)'));

export const prometheusExporterConfig = v.optional(
  v.strictObject({
    endpoint: v.optional(endpoint('127.0.0.1:8000'), '127.0.0.1:8000'),
    ...httpServerEntries,
    max_request_body_size: v.optional(nonNegativeInteger()),
    compression_algorithms: v.optional(v.nullable(v.array(v.string()))),
    sending_queue: v.nullish(v.looseObject({ enabled: v.optional(v.boolean(), true) })),
    namespace: v.optional(v.string(), ''),
    const_labels: v.optional(v.record(constLabelName, v.string()), {}),
    enable_open_metrics: v.optional(v.boolean(), false),
    send_timestamps: v.optional(v.boolean(), false),
    metric_expiration: v.optional(positiveDuration(), '5m'),
    without_scope_info: v.optional(v.boolean(), false),
    add_metric_suffixes: v.optional(v.boolean(), true),
    translation_strategy: v.optional(v.picklist(strategies), 'UnderscoreEscapingWithSuffixes'),
    resource_to_telemetry_conversion: v.optional(
      v.strictObject({
        enabled: v.optional(v.boolean(), false),
        exclude_service_attributes: v.optional(v.boolean(), false),
      }),
      {},
    ),
    resource_constant_labels: v.optional(v.strictObject({ included: patterns, excluded: patterns })),
    history: v.optional(historyReference),
    max_series: v.optional(positiveInteger(), 200_000),
    max_series_bytes: v.optional(seriesBytes),
  }),
  {},
);

export type PrometheusExporterConfig = v.InferOutput<typeof prometheusExporterConfig>;

/** `add_metric_suffixes` has no effect, as in the stock Collector since 0.132. */
export function naming({ namespace, translation_strategy: strategy }: PrometheusExporterConfig): Naming {
  const utf8 = strategy.startsWith('No');
  return {
    utf8,
    suffixes: strategy.endsWith('WithSuffixes'),
    namespace: utf8 ? namespace : namespace.replaceAll(/[^A-Za-z0-9_:]/gu, '_'),
  };
}

const DEFAULT_SERIES_BYTES = 128 * 1024 * 1024;
/** By default at most this part of the container's memory. */
const SERIES_SHARE = 1 / 16;

export function maxSeriesBytes({ max_series_bytes: bytes }: PrometheusExporterConfig): number {
  const containerBytes = process.constrainedMemory() || Infinity;
  return bytes ?? Math.min(DEFAULT_SERIES_BYTES, Math.floor(containerBytes * SERIES_SHARE));
}

/** Scrapes have no body, responses have their own timeout, and a page in memory needs no queue. */
export function idleKeys(config: PrometheusExporterConfig): Readonly<Record<string, boolean>> {
  return {
    include_metadata: config.include_metadata,
    write_timeout: config.write_timeout > 0,
    max_request_body_size: config.max_request_body_size !== undefined,
    compression_algorithms: config.compression_algorithms !== undefined,
    sending_queue: config.sending_queue?.enabled === true,
  };
}
