import * as v from 'valibot';
import { configSchema } from '../../../src/components/receivers/db-poller/config.ts';
import { postgresHealthPack } from '../../../src/packs/postgres-health/pack.ts';
import { scrapePipelinePack } from '../../../src/packs/scrape-pipeline/pack.ts';

/** The queries of both packs that rest longer than the others. */
export function slowQueries(): string[] {
  const config = { datasource: '', packs: { scrape_pipeline: {}, postgres_health: {} } };
  const { packs } = v.parse(configSchema, config);
  const { scrape_pipeline: scrapePipeline, postgres_health: postgresHealth } = packs;
  if (!scrapePipeline || !postgresHealth) throw new Error('both packs were asked for');
  return [scrapePipelinePack(scrapePipeline), postgresHealthPack(postgresHealth)].flatMap(
    ({ name, queries, exactQueries }) =>
      Object.entries({ ...queries, ...exactQueries })
        .filter(([, { isSlow = false }]) => isSlow)
        .map(([query]) => `${name}.${query}`),
  );
}
