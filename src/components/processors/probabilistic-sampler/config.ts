import * as v from 'valibot';

/** The smallest probability that a threshold can express, in percent. */
const MIN_PERCENTAGE = 100 / 2 ** 56;
const MAX_SEED = 2 ** 32 - 1;

export const probabilisticSamplerConfig = v.nullish(
  v.strictObject({
    sampling_percentage: v.optional(
      v.pipe(
        v.number(),
        v.finite('must be a number'),
        v.minValue(0, 'must not be negative'),
        v.check((percentage) => percentage === 0 || percentage >= MIN_PERCENTAGE, 'is too small'),
      ),
      0,
    ),
    mode: v.optional(v.picklist(['hash_seed', 'proportional', 'equalizing', '']), ''),
    hash_seed: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(MAX_SEED)), 0),
    fail_closed: v.optional(v.boolean(), true),
    sampling_precision: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(14)), 4),
    attribute_source: v.optional(v.picklist(['traceID', 'record'])),
    from_attribute: v.optional(v.string()),
    sampling_priority: v.optional(v.string()),
  }),
  {},
);

export type ProbabilisticSamplerConfig = v.InferOutput<typeof probabilisticSamplerConfig>;
