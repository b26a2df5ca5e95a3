import { promql, type LabelOf as LabelOfAny, type Where as WhereAny } from '../../../dashboards/promql/promql.ts';
import { prometheusMetrics } from '../../../metrics/third-party.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';

const metrics = { ...sidecarMetrics, ...prometheusMetrics } as const;

export type LabelOf<Name extends keyof typeof metrics> = LabelOfAny<typeof metrics, Name>;
export type Where<Name extends keyof typeof metrics> = WhereAny<typeof metrics, Name>;

export const { change, increase, latest, mean, occurrences, overTime, rate, seriesOf } = promql(metrics);
