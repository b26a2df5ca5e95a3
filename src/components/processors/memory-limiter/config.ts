import * as v from 'valibot';
import { duration, nonNegativeInteger } from '../../../engine/schema/fields.ts';

const percentage = (): v.GenericSchema<unknown, number> =>
  v.pipe(v.number(), v.minValue(0, 'must not be negative'), v.maxValue(100, 'must be at most 100'));

const keys = v.strictObject({
  check_interval: v.optional(duration(), 0),
  limit_mib: v.optional(nonNegativeInteger(), 0),
  spike_limit_mib: v.optional(nonNegativeInteger(), 0),
  limit_percentage: v.optional(percentage(), 0),
  spike_limit_percentage: v.optional(percentage(), 0),
  min_gc_interval_when_soft_limited: v.optional(duration()),
  min_gc_interval_when_hard_limited: v.optional(duration()),
});

type Keys = v.InferOutput<typeof keys>;

/** The interval and one of the limits have no default, as in the stock Collector. */
export const memoryLimiterConfig = v.pipe(
  v.nullish(keys, {}),
  v.check((config: Keys) => config.check_interval > 0, 'needs a check_interval above 0s, for example 1s'),
  v.check((config) => config.limit_mib > 0 || config.limit_percentage > 0, 'needs limit_mib or limit_percentage'),
  v.check(
    (config) => config.limit_mib === 0 || config.spike_limit_mib < config.limit_mib,
    'has a spike_limit_mib that is not below its limit_mib',
  ),
  v.check(
    (config) => config.limit_percentage === 0 || config.spike_limit_percentage < config.limit_percentage,
    'has a spike_limit_percentage that is not below its limit_percentage',
  ),
);

export type MemoryLimiterConfig = v.InferOutput<typeof memoryLimiterConfig>;

/** siphon chooses when it collects garbage. */
export function idleKeys(config: MemoryLimiterConfig): Readonly<Record<string, boolean>> {
  return {
    min_gc_interval_when_soft_limited: config.min_gc_interval_when_soft_limited !== undefined,
    min_gc_interval_when_hard_limited: config.min_gc_interval_when_hard_limited !== undefined,
  };
}
