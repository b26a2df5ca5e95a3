import type { Threshold } from '../dashboards/threshold.ts';
import { thresholds as postgresHealth } from './postgres-health/thresholds.ts';
import { thresholds as scrapePipeline } from './scrape-pipeline/thresholds.ts';
import { thresholds as sidecar } from './sidecar/thresholds.ts';

export const thresholds = { ...scrapePipeline, ...postgresHealth, ...sidecar } as const satisfies Record<
  string,
  Threshold
>;

export type ThresholdName = keyof typeof thresholds;
