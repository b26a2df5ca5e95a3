import * as v from 'valibot';
import { duration, nonNegativeInteger, positiveDuration, positiveInteger } from '../../../engine/schema/fields.ts';
import { compileGlob } from './dimensions.ts';

/** The labels that every series has, unless they are excluded. */
export const builtInDimensions = ['service.name', 'span.name', 'span.kind', 'status.code'] as const;

const text = v.pipe(v.string(), v.nonEmpty('must not be empty'));

const dimension = v.pipe(
  v.strictObject({ name: v.optional(text), default: v.optional(v.string()), glob: v.optional(text) }),
  v.check(({ name, glob }) => (name === undefined) !== (glob === undefined), 'needs either name or glob'),
  v.check(
    ({ default: value, glob }) => value === undefined || glob === undefined,
    'has a default, which a glob cannot have',
  ),
  v.check(
    ({ glob }) => glob === undefined || compileGlob(glob) !== undefined,
    'has a glob with other wildcards than *, ** and ?',
  ),
);

/** Each attribute becomes one label. */
function dimensions() {
  return v.optional(
    v.pipe(
      v.array(dimension),
      v.check((all) => {
        const names = [...builtInDimensions, ...all.flatMap(({ name }) => name ?? [])];
        const globs = all.flatMap(({ glob }) => (glob === undefined ? [] : (compileGlob(glob) ?? [])));
        return new Set(names).size === names.length && !globs.some((matches) => names.some(matches));
      }, 'names a dimension twice, or one that each series has'),
    ),
    [],
  );
}

const histogram = v.pipe(
  v.strictObject({
    disable: v.optional(v.boolean(), false),
    unit: v.optional(v.picklist(['ms', 's']), 'ms'),
    explicit: v.optional(v.strictObject({ buckets: v.optional(v.array(duration())) })),
    exponential: v.optional(v.unknown()),
    dimensions: dimensions(),
  }),
  v.check(
    ({ exponential }) => exponential === undefined,
    'has exponential, which siphon does not support: use explicit buckets',
  ),
);

const events = v.pipe(
  v.strictObject({ enabled: v.optional(v.boolean(), false), dimensions: dimensions() }),
  v.check(({ enabled, dimensions: all }) => !enabled || all.length > 0, 'needs dimensions'),
);

const CUMULATIVE = 'AGGREGATION_TEMPORALITY_CUMULATIVE';

export const spanMetricsConfig = v.nullish(
  v.strictObject({
    namespace: v.optional(v.string(), 'traces.span.metrics'),
    dimensions: dimensions(),
    calls_dimensions: dimensions(),
    exclude_dimensions: v.optional(v.array(v.string()), []),
    histogram: v.optional(histogram, {}),
    events: v.optional(events, {}),
    exemplars: v.optional(
      v.strictObject({
        enabled: v.optional(v.boolean(), false),
        max_per_data_point: v.optional(nonNegativeInteger()),
      }),
      {},
    ),
    include_instrumentation_scope: v.optional(v.array(v.string()), []),
    aggregation_temporality: v.optional(
      v.literal(CUMULATIVE, `must be ${CUMULATIVE}: siphon does not support delta here`),
      CUMULATIVE,
    ),
    aggregation_cardinality_limit: v.optional(positiveInteger(), 1000),
    resource_metrics_cache_size: v.optional(positiveInteger(), 1000),
    resource_metrics_key_attributes: v.optional(v.array(v.string()), []),
    metrics_flush_interval: v.optional(positiveDuration(), '60s'),
    metrics_expiration: v.optional(duration(), '0s'),
    series_expiration: v.optional(duration(), '0s'),
    enable_metrics_sampling_method: v.optional(v.boolean(), false),
    max_series: v.optional(positiveInteger(), 50_000),
    add_resource_attributes: v.optional(v.boolean()),
    dimensions_cache_size: v.optional(nonNegativeInteger()),
    metric_timestamp_cache_size: v.optional(nonNegativeInteger()),
  }),
  {},
);

export type SpanMetricsConfig = v.InferOutput<typeof spanMetricsConfig>;
