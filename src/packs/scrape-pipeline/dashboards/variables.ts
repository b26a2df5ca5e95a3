import { valuesOf } from '../../../dashboards/model/variables.ts';
import { seriesOf } from './promql.ts';

export const database = valuesOf(seriesOf('pipeline_health_input_percent'), 'instance', {
  name: 'database',
  label: 'Database',
  description: 'The pollers; each polls one database',
  narrows: { sources: ['poller'] },
});

/** Metrics of the pipeline's own processes call the label `source`. */
export const roaster = valuesOf(seriesOf('scrape_runs_running'), 'roaster', {
  name: 'roaster',
  label: 'Roaster',
  description: 'The roasters in the database',
  within: { platform: 'platform' },
  narrows: { labels: ['roaster', 'source'] },
});

export const platform = valuesOf(seriesOf('scrape_runs_running'), 'platform', {
  name: 'platform',
  label: 'Platform',
  description: 'The shop software of the roasters',
  narrows: { labels: ['platform'] },
});

/** For tables with a line for each roaster. */
export const toRoaster = { roaster: { dashboard: 'siphon-roaster', title: 'This roaster' } } as const;
