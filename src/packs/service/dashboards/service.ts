import type { Dashboard } from '../../../dashboards/model/panel.ts';
import { instance, job } from '../../../dashboards/model/service-variables.ts';
import { datasource } from '../../../dashboards/model/variables.ts';
import { calls } from './calls.ts';
import { requests } from './requests.ts';
import { saturation } from './saturation.ts';

export const serviceDashboard: Dashboard = {
  uid: 'siphon-service',
  title: 'Service',
  description: 'The requests that services answer, how busy they are, and what they call',
  from: '1d',
  refresh: '1m',
  variables: [datasource, job, instance],
  rows: [requests, saturation, calls],
};
