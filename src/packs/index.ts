import { postgresHealth } from './postgres-health/index.ts';
import { scrapePipeline } from './scrape-pipeline/index.ts';
import { sidecar } from './sidecar/index.ts';

/** The packs that siphon ships. */
export const packs = [scrapePipeline, postgresHealth, sidecar] as const;
