import { NEVER, parseTraceState } from '../../../engine/otlp/trace-state.ts';

/**
 * How many spans a sampled span stands for, by the threshold in its `tracestate`; may have a fraction. Undefined without a
 * threshold. https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
 */
export function adjustedCount(traceState: string): number | undefined {
  const threshold = parseTraceState(traceState)?.threshold;
  return threshold === undefined ? undefined : Number(NEVER) / Number(NEVER - threshold);
}

/** Rounds up or down at random, so that the mean is right. */
export function roundedAtRandom(count: number): number {
  const whole = Math.floor(count);
  return whole + (Math.random() < count - whole ? 1 : 0);
}
