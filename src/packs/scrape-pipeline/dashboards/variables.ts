import { valuesOf } from '../../../dashboards/model/variables.ts';
import { seriesOf } from './promql.ts';

export const database = valuesOf(seriesOf('pipeline_health_input_percent'), 'instance', {
  name: 'database',
  label: 'Database',
  description: 'The pollers, each of which asks one database',
  narrows: { sources: ['poller'] },
});

/** The label is called `source` on what the pipeline itself counts. */
export const roaster = valuesOf(seriesOf('scrape_runs_running'), 'roaster', {
  name: 'roaster',
  label: 'Roaster',
  description: 'The roasters that the database knows',
  within: { platform: 'platform' },
  narrows: { labels: ['roaster', 'source'] },
});

export const platform = valuesOf(seriesOf('scrape_runs_running'), 'platform', {
  name: 'platform',
  label: 'Platform',
  description: 'What the shops of the roasters run on',
  narrows: { labels: ['platform'] },
});

/** For tables with a line for each roaster. */
export const toRoaster = { roaster: { dashboard: 'siphon-roaster', title: 'This roaster' } } as const;
