import * as v from 'valibot';
import { endpoint, positiveDuration, positiveInteger } from '../../collector/config/fields.ts';
import type { Naming } from './naming.ts';

const strategies = [
  'UnderscoreEscapingWithSuffixes',
  'UnderscoreEscapingWithoutSuffixes',
  'NoUTF8EscapingWithSuffixes',
  'NoTranslation',
] as const;

const patterns = v.optional(v.array(v.string()), []);

export const prometheusExporterConfig = v.optional(
  v.strictObject({
    endpoint: v.optional(endpoint(), '127.0.0.1:8000'),
    namespace: v.optional(v.string(), ''),
    const_labels: v.optional(v.record(v.string(), v.string()), {}),
    enable_open_metrics: v.optional(v.boolean(), false),
    send_timestamps: v.optional(v.boolean(), false),
    metric_expiration: v.optional(positiveDuration(), '5m'),
    without_scope_info: v.optional(v.boolean(), false),
    add_metric_suffixes: v.optional(v.boolean(), true),
    translation_strategy: v.optional(v.picklist(strategies)),
    resource_to_telemetry_conversion: v.optional(
      v.strictObject({
        enabled: v.optional(v.boolean(), false),
        exclude_service_attributes: v.optional(v.boolean(), false),
      }),
      {},
    ),
    resource_constant_labels: v.optional(v.strictObject({ included: patterns, excluded: patterns })),
    max_series: v.optional(positiveInteger(), 200_000),
  }),
  {},
);

export type PrometheusExporterConfig = v.InferOutput<typeof prometheusExporterConfig>;

/** `translation_strategy` decides where it is given; otherwise `add_metric_suffixes` does. */
export function naming({ namespace, add_metric_suffixes, translation_strategy }: PrometheusExporterConfig): Naming {
  if (translation_strategy === undefined) return { namespace, suffixes: add_metric_suffixes, utf8: false };
  return {
    namespace,
    suffixes: translation_strategy.endsWith('WithSuffixes'),
    utf8: translation_strategy.startsWith('No'),
  };
}
