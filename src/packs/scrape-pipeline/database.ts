import { packQueries } from '../../components/receivers/db-poller/query.ts';
import { scrapePipelineQueryNames, scrapePipelineSettings } from './queries/settings.ts';

/** The database part of the pack. */
export const scrapePipelineDatabase = packQueries({
  settings: scrapePipelineSettings,
  names: scrapePipelineQueryNames,
  async create(settings) {
    const { scrapePipelineQueries } = await import('./queries/query-set.ts');
    return scrapePipelineQueries(settings);
  },
});
