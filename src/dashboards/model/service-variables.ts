/** Variables for dashboards of services that report `serviceMetrics`. */
import { serviceMetrics } from '../../metrics/service.ts';
import { promql } from '../promql/promql.ts';
import { valuesOf } from './variables.ts';

const processes = promql(serviceMetrics).seriesOf('memory_usage_bytes');

export const job = valuesOf(processes, 'job', {
  name: 'job',
  label: 'Service',
  description: 'The services that are observed, by service.name',
  narrows: { sources: ['sdk', 'runtime'] },
});

export const instance = valuesOf(processes, 'instance', {
  name: 'instance',
  label: 'Process',
  description: 'Processes of the services; each start is a new one',
  within: { job: 'job' },
  narrows: { sources: ['sdk', 'runtime'] },
});
