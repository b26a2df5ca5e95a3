import type { SpanMetricsConfig } from './config.ts';
import { compileDimensions, type Dimensions } from './dimensions.ts';

const DEFAULT_BOUNDS_MS = [2, 4, 6, 8, 10, 50, 100, 200, 400, 800, 1000, 1400, 2000, 5000, 10_000, 15_000];
const NS_A_MS = 1e6;

/** The metrics of the configuration, in the form in which spans are counted. */
export interface Metrics {
  readonly names: { readonly calls: string; readonly duration: string; readonly events: string };
  readonly unit: 'ms' | 's';
  readonly nsPerUnit: number;
  /** Upper bounds of the buckets, in the unit. */
  readonly bounds: Float64Array;
  readonly hasDuration: boolean;
  readonly hasEvents: boolean;
  /** The dimensions of all metrics, and then the further ones of each metric. */
  readonly dimensions: {
    readonly calls: readonly Dimensions[];
    readonly duration: readonly Dimensions[];
    readonly events: readonly Dimensions[];
  };
  readonly excluded: ReadonlySet<string>;
  readonly scopes: ReadonlySet<string>;
  readonly hasSamplingMethod: boolean;
  /** undefined without exemplars. */
  readonly maxExemplars: number | undefined;
}

export function metricsOf(config: SpanMetricsConfig): Metrics {
  const { histogram, exemplars, events, namespace } = config;
  const name = (last: string): string => (namespace === '' ? last : `${namespace}.${last}`);
  const nsPerUnit = histogram.unit === 's' ? 1000 * NS_A_MS : NS_A_MS;
  const boundsMs = histogram.explicit?.buckets ?? DEFAULT_BOUNDS_MS;
  const common = compileDimensions(config.dimensions);
  return {
    names: { calls: name('calls'), duration: name('duration'), events: name('events') },
    unit: histogram.unit,
    nsPerUnit,
    bounds: Float64Array.from(boundsMs, (ms) => (ms * NS_A_MS) / nsPerUnit),
    hasDuration: !histogram.disable,
    hasEvents: events.enabled,
    dimensions: {
      calls: [common, compileDimensions(config.calls_dimensions)],
      duration: [common, compileDimensions(histogram.dimensions)],
      events: [common, compileDimensions(events.dimensions)],
    },
    excluded: new Set(config.exclude_dimensions),
    scopes: new Set(config.include_instrumentation_scope),
    hasSamplingMethod: config.enable_metrics_sampling_method,
    maxExemplars: exemplars.enabled ? (exemplars.max_per_data_point ?? Infinity) : undefined,
  };
}
