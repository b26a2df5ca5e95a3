import type { LeafPolicyConfig } from './policy-config.ts';
import { sampledIf, type Policy } from './policy.ts';

const DEFAULT_SALT = 'default-hash-seed';
const GREATEST_HASH = 2n ** 64n - 1n;
const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;

/** Keeps the traces whose hash is small: each Collector with the same salt keeps the same ones. */
export function probabilistic(settings: NonNullable<LeafPolicyConfig['probabilistic']>): Policy {
  const { sampling_percentage: percentage, hash_salt: salt } = settings;
  if (percentage >= 100) return () => 'sampled';
  const salted = hash(OFFSET_BASIS, Buffer.from(salt === '' ? DEFAULT_SALT : salt));
  const threshold = thresholdOf(percentage / 100);
  return ({ traceId }) => sampledIf(hash(salted, traceId) <= threshold);
}

/** FNV-1a with 64 bits. */
function hash(seed: bigint, bytes: Uint8Array): bigint {
  let value = seed;
  for (const byte of bytes) value = BigInt.asUintN(64, (value ^ BigInt(byte)) * PRIME);
  return value;
}

function thresholdOf(ratio: number): bigint {
  // The product with 2^53 is exact for all ratios that a double has near 1.
  return (GREATEST_HASH * BigInt(Math.round(ratio * 2 ** 53))) >> 53n;
}
