import { promql, type Count as CountOf, type LabelOf as LabelOfAny } from '../../../dashboards/promql/promql.ts';
import { httpServiceMetrics } from '../metrics.ts';

export type Count = CountOf<typeof httpServiceMetrics>;
export type LabelOf<Name extends keyof typeof httpServiceMetrics> = LabelOfAny<typeof httpServiceMetrics, Name>;

export const {
  increases,
  latest,
  mean,
  observations,
  occurrences,
  quantile,
  quantileOfOccurrences,
  shareAbove,
  sumRate,
} = promql(httpServiceMetrics);
