import * as v from 'valibot';
import { configSchema } from '../../../src/receivers/db-poller/config.ts';
import { postgresHealthPack } from '../../../src/receivers/db-poller/packs/postgres-health/pack.ts';
import { scrapePipelinePack } from '../../../src/receivers/db-poller/packs/scrape-pipeline/pack.ts';

/** The queries of both packs that rest longer than the default interval. */
export function slowQueries(): string[] {
  const config = { datasource: '', packs: { scrape_pipeline: {}, postgres_health: {} } };
  const { packs, collection_interval: intervalMs } = v.parse(configSchema, config);
  const { scrape_pipeline: scrapePipeline, postgres_health: postgresHealth } = packs;
  if (!scrapePipeline || !postgresHealth) throw new Error('both packs were asked for');
  return [scrapePipelinePack(scrapePipeline), postgresHealthPack(postgresHealth)].flatMap(({ name, queries }) =>
    Object.entries(queries)
      .filter(([, { minIntervalMs = 0 }]) => minIntervalMs > intervalMs)
      .map(([query]) => `${name}.${query}`),
  );
}
