import { promql, type Count as CountOf, type LabelOf as LabelOfAny } from '../../../dashboards/promql/promql.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import { postgresHealthMetrics } from '../../postgres-health/metrics.ts';
import { scrapePipelineMetrics } from '../database-metrics.ts';
import { pipelineMetrics } from '../pipeline-metrics.ts';

const metrics = {
  ...pipelineMetrics,
  ...scrapePipelineMetrics,
  ...postgresHealthMetrics,
  ...sidecarMetrics,
} as const;

export type Count = CountOf<typeof metrics>;
export type LabelOf<Name extends keyof typeof metrics> = LabelOfAny<typeof metrics, Name>;

export const {
  buckets,
  change,
  increase,
  increases,
  latest,
  mean,
  observations,
  observationsUpTo,
  occurrences,
  occurrencesUpTo,
  overTime,
  quantileOfOccurrences,
  rate,
  seriesOf,
  shareAbove,
} = promql(metrics);
