import type { DbPollerConfig } from '../config.ts';
import type { Pack } from '../query.ts';

/** The SQL and what it needs are loaded only by who asks the database. */
export async function configuredPacks({ packs }: Pick<DbPollerConfig, 'packs'>): Promise<Pack[]> {
  const [{ scrapePipelinePack }, { postgresHealthPack }] = await Promise.all([
    import('../../../../packs/scrape-pipeline/pack.ts'),
    import('../../../../packs/postgres-health/pack.ts'),
  ]);
  return [
    ...(packs.scrape_pipeline ? [scrapePipelinePack(packs.scrape_pipeline)] : []),
    ...(packs.postgres_health ? [postgresHealthPack(packs.postgres_health)] : []),
  ];
}
