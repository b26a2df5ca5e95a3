import { NEVER, type TraceState } from '../../../engine/otlp/trace-state.ts';
import type { samplingPolicies } from '../../../metrics/reasons.ts';
import type { ProbabilisticSamplerConfig } from './config.ts';

/** The decision depends on it. */
export interface SampledSpan {
  /** Undefined if it is empty. */
  readonly traceId: Uint8Array | undefined;
  /** Undefined if it is not valid. */
  readonly traceState: TraceState | undefined;
}

/** Where the randomness of a decision comes from. */
export type Policy = (typeof samplingPolicies)[number];

export interface Decision {
  readonly policy: Policy;
  readonly randomness: bigint;
  /** The span is sampled if its randomness is not below. */
  readonly threshold: bigint;
  /** The trace state that a sampled span gets; undefined if it keeps its own. */
  readonly traceState: TraceState | undefined;
}

/** Decides about one span. */
export type Sampler = (span: SampledSpan) => Decision;

const GREATEST_RANDOMNESS = NEVER - 1n;
/** The hash has this many bits that decide. */
const BUCKET_BITS = 14;
const BUCKETS = 2 ** BUCKET_BITS;
const BITS = 56;
const DIGITS = 14;

export function createSampler(config: ProbabilisticSamplerConfig): Sampler {
  const failed = config.fail_closed ? NEVER : 0n;
  const percentage = Math.fround(Math.min(100, config.sampling_percentage));
  if (percentage === 0) return never(failed);
  const ratio = Math.max(percentage / 100, 2 ** -BITS);
  const { sampling_precision: precision } = config;
  switch (config.mode) {
    case 'equalizing': {
      const wanted = thresholdOf(ratio, precision);
      return consistent(failed, (known) => (known !== undefined && known > wanted ? known : wanted));
    }
    case 'proportional':
      return consistent(failed, (known) => thresholdOf(probabilityOf(known ?? 0n) * ratio, precision));
    case 'hash_seed':
    case '':
      return hashing(percentage, config.hash_seed, failed);
  }
}

function never(failed: bigint): Sampler {
  return ({ traceState }) => ({
    policy: 'sampling_priority',
    randomness: GREATEST_RANDOMNESS,
    threshold: traceState === undefined ? failed : NEVER,
    traceState,
  });
}

/** Hashes the trace id. The decision does not agree with that of other samplers. */
function hashing(percentage: number, seed: number, failed: bigint): Sampler {
  // The stock Collector multiplies with the precision of 32 bits, and cuts off.
  const accepted = Math.trunc(Math.fround(percentage * Math.fround(BUCKETS / 100)));
  if (accepted === 0) return never(failed);
  const threshold = BigInt(BUCKETS - accepted) << BigInt(BITS - BUCKET_BITS);
  return ({ traceId, traceState }) => {
    const randomness = traceId === undefined ? GREATEST_RANDOMNESS : hashedRandomness(traceId, seed);
    const policy = traceId === undefined ? 'missing_randomness' : 'trace_id_hash';
    const isSampledAlready = traceState?.randomness !== undefined || traceState?.threshold !== undefined;
    const isUsable = traceState !== undefined && !isSampledAlready;
    return {
      policy,
      randomness,
      threshold: isUsable && traceId !== undefined ? threshold : failed,
      traceState: isUsable ? { ...traceState, randomness } : undefined,
    };
  };
}

/** Uses the randomness of the trace, as other samplers do: a trace that one with a lower probability keeps is kept. */
function consistent(failed: bigint, decide: (threshold: bigint | undefined) => bigint): Sampler {
  return ({ traceId, traceState }) => {
    const explicit = traceState?.randomness;
    const randomness = explicit ?? (traceId === undefined ? GREATEST_RANDOMNESS : randomnessIn(traceId));
    const isMissing = explicit === undefined && traceId === undefined;
    const policy = isMissing ? 'missing_randomness' : explicit === undefined ? 'trace_id_w3c' : 'sampling_randomness';
    if (traceState === undefined || isMissing) return { policy, randomness, threshold: failed, traceState };
    const known = traceState.threshold;
    // A span that its own threshold excludes: the threshold is wrong.
    if (known !== undefined && known > randomness) {
      return { policy, randomness, threshold: failed, traceState: { ...traceState, threshold: undefined } };
    }
    return { policy, randomness, threshold: decide(known), traceState };
  };
}

/** FNV-1a over the seed and the id. The first bits decide, the others are a mixture of those that are left. */
function hashedRandomness(traceId: Uint8Array, seed: number): bigint {
  let hash = 0x811c9dc5;
  for (let shift = 0; shift < 32; shift += 8) hash = Math.imul(hash ^ ((seed >>> shift) & 0xff), 0x01000193);
  for (const byte of traceId) hash = Math.imul(hash ^ byte, 0x01000193);
  const bucket = BigInt(hash & (BUCKETS - 1));
  const unused = BigInt(hash >>> (32 - BUCKET_BITS));
  const mixed = unused ^ (unused << 10n);
  return ((BigInt(BUCKETS - 1) - bucket) << 42n) | (mixed << 14n) | bucket;
}

/** The last 56 bits of the id, which are random. https://www.w3.org/TR/trace-context-2/#random-trace-id-flag */
function randomnessIn(traceId: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(traceId).toString('hex', 9)}`);
}

function probabilityOf(threshold: bigint): number {
  return Number(NEVER - threshold) / Number(NEVER);
}

/** @param precision hexadecimal digits that are not 0 or f. */
function thresholdOf(probability: number, precision: number): bigint {
  if (probability < 2 ** -BITS) return NEVER;
  if (probability >= 1) return 0n;
  const extra = Math.max(leadingDigits(probability), leadingDigits(1 - probability));
  const digits = Math.min(DIGITS, precision + extra);
  const exact = NEVER - BigInt(Math.round(probability * Number(NEVER)));
  const shift = BigInt(4 * (DIGITS - digits));
  return shift === 0n ? exact : ((exact + (1n << (shift - 1n))) >> shift) << shift;
}

/** How many hexadecimal digits after the point are 0. */
function leadingDigits(fraction: number): number {
  return Math.floor(-(Math.floor(Math.log2(fraction)) + 1) / 4);
}
