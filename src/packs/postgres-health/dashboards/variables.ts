import { valuesOf } from '../../../dashboards/model/variables.ts';
import { seriesOf } from './promql.ts';

export const polledDatabase = valuesOf(seriesOf('database_size_bytes'), 'instance', {
  name: 'database',
  label: 'Database',
  description: 'The pollers; each polls one database',
  narrows: { sources: ['poller'] },
});
