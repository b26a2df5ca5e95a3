import { promql } from '../../../dashboards/promql/promql.ts';
import { instrumentationMetrics } from '../../../metrics/third-party.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import { serviceMetrics } from '../../../metrics/service.ts';
import { postgresHealthMetrics } from '../metrics.ts';

export const { change, increase, latest, mean, observations, rate, seriesOf } = promql({
  ...postgresHealthMetrics,
  ...serviceMetrics,
  ...instrumentationMetrics,
  ...sidecarMetrics,
});
