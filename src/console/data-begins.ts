import { momentsOf, type DataSource, type Span } from './data-source.ts';

/** Every sidecar has this series as long as it runs. */
const ALWAYS_THERE = 'count(otelcol_process_uptime)';

/** A wide screen shows about as many points. */
const STEPS = 1000;

/** A shorter time is not worth a word. */
const LEAST_SHARE = 0.01;

/**
 * When the data begins, if the time is longer than that: a sidecar without a storage has nothing from before its start.
 * Undefined if there is no data, or if the source does not answer: the panels show that.
 */
export async function dataBegins(source: DataSource, { fromS, toS }: Span): Promise<number | undefined> {
  const steps = { fromS, toS, stepS: Math.max(1, (toS - fromS) / STEPS) };
  const [counts] = await source.over(ALWAYS_THERE, steps).catch(() => []);
  const first = counts?.values.findIndex((value) => value !== null) ?? -1;
  const beginsS = momentsOf(steps)[first];
  return beginsS !== undefined && beginsS - fromS > LEAST_SHARE * (toS - fromS) ? beginsS : undefined;
}
