import * as v from 'valibot';
import { nonNegativeInteger, positiveDuration, positiveInteger, timerDuration } from '../../../engine/schema/fields.ts';
import { namedPolicy } from './policies/policy-config.ts';

const DEFAULT_MIB = 64;
const LEAST_MIB = 1;

export const tailSamplingConfig = v.strictObject({
  decision_wait: v.optional(positiveDuration(), '30s'),
  decision_wait_after_root_received: v.optional(timerDuration(), '0s'),
  num_traces: v.optional(positiveInteger(), 50_000),
  max_size_mib: v.optional(v.pipe(positiveInteger(), v.minValue(LEAST_MIB))),
  maximum_trace_size_bytes: v.optional(nonNegativeInteger(), 0),
  block_on_overflow: v.optional(v.boolean(), false),
  expected_new_traces_per_sec: v.optional(nonNegativeInteger(), 0),
  decision_cache: v.optional(
    v.strictObject({
      sampled_cache_size: v.optional(nonNegativeInteger(), 0),
      non_sampled_cache_size: v.optional(nonNegativeInteger(), 0),
    }),
    {},
  ),
  sample_on_first_match: v.optional(v.boolean(), false),
  sampling_strategy: v.optional(
    v.picklist(['trace-complete'], 'must be trace-complete: siphon decides about whole traces'),
    'trace-complete',
  ),
  drop_pending_traces_on_shutdown: v.optional(v.boolean(), false),
  policies: v.pipe(
    v.array(namedPolicy),
    v.minLength(1, 'needs at least one policy'),
    v.check(
      (policies) => new Set(policies.map(({ name }) => name)).size === policies.length,
      'has two policies of one name',
    ),
  ),
});

export type TailSamplingConfig = v.InferOutput<typeof tailSamplingConfig>;

const BYTES_PER_MIB = 1024 * 1024;
/** By default at most this part of the container's memory. */
const SHARE = 1 / 8;

/** The limit for the memory of undecided spans. */
export function maxHeldBytes({ max_size_mib: mib }: TailSamplingConfig): number {
  const containerBytes = process.constrainedMemory() || Infinity;
  const automatic = Math.min(DEFAULT_MIB * BYTES_PER_MIB, Math.max(containerBytes * SHARE, LEAST_MIB * BYTES_PER_MIB));
  return mib === undefined ? automatic : mib * BYTES_PER_MIB;
}

export function idleKeys({
  expected_new_traces_per_sec: expected,
}: TailSamplingConfig): Readonly<Record<string, boolean>> {
  return { expected_new_traces_per_sec: expected > 0 };
}
