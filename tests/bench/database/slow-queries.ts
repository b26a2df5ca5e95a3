import * as v from 'valibot';
import { dbPollerConfig } from '../../../src/components/receivers/db-poller/config.ts';
import { configuredPacks } from '../../../src/components/receivers/db-poller/plan.ts';
import { packs as builtInPacks } from '../../../src/packs/index.ts';

/** The queries of both packs that have a longer interval than the others. */
export async function slowQueries(): Promise<string[]> {
  const config = { datasource: '', packs: { scrape_pipeline: {}, postgres_health: {} } };
  const packs = await configuredPacks(await v.parseAsync(dbPollerConfig(builtInPacks), config));
  return packs.flatMap(({ name, gauges, counters }) =>
    Object.entries({ ...gauges, ...counters })
      .filter(([, { pace }]) => pace !== undefined)
      .map(([query]) => `${name}.${query}`),
  );
}
