const THRESHOLD = /(?:^|,)\s*ot=(?:[^,]*;)?th:([0-9a-f]{1,14})(?:[;,\s]|$)/;
const MAX_THRESHOLD = 2 ** 56;

/**
 * How many spans a sampled span stands for, by the threshold in its `tracestate`; may have a fraction. Undefined without a
 * threshold. https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 */
export function adjustedCount(traceState: string): number | undefined {
  const digits = THRESHOLD.exec(traceState)?.[1];
  if (digits === undefined) return undefined;
  return MAX_THRESHOLD / (MAX_THRESHOLD - Number.parseInt(digits.padEnd(14, '0'), 16));
}

/** Rounds up or down at random, so that the mean is right. */
export function roundedAtRandom(count: number): number {
  const whole = Math.floor(count);
  return whole + (Math.random() < count - whole ? 1 : 0);
}
