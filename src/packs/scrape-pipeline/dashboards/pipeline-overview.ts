import type { Dashboard } from '../../../dashboards/model/panel.ts';
import { instance, job } from '../../../dashboards/model/service-variables.ts';
import { datasource } from '../../../dashboards/model/variables.ts';
import { saturation } from '../../service/dashboards/saturation.ts';
import { sidecar } from '../../sidecar/dashboards/variables.ts';
import { database, platform, roaster } from './variables.ts';
import { catalogueState } from './pipeline/catalogue.ts';
import { fetching } from './pipeline/fetching.ts';
import { health } from './pipeline/health.ts';
import { operations } from './pipeline/operations.ts';
import { runs } from './pipeline/runs.ts';

export const pipelineOverview: Dashboard = {
  uid: 'siphon-pipeline',
  title: 'Pipeline overview',
  description: 'The health of the pipeline, the causes of problems, and where to look next',
  from: '7d',
  refresh: '1m',
  variables: [datasource, job, instance, database, platform, roaster, sidecar],
  rows: [health, runs, operations, fetching, catalogueState, saturation],
};
