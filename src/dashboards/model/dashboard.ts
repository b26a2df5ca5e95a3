import type { Duration } from '../promql/node.ts';
import type { Panel } from './panel.ts';
import type { Variable } from './variables.ts';

export const dashboardUids = ['siphon-pipeline', 'siphon-roaster', 'siphon-prices', 'siphon-database'] as const;

/** Names a dashboard in Grafana, in links and in the names of files. */
export type DashboardUid = (typeof dashboardUids)[number];

export interface Row {
  readonly title: string;
  /** A variable: the row is there once for each of its chosen values. */
  readonly repeatFor?: string;
  readonly panels: readonly Panel[];
}

export interface Dashboard {
  readonly uid: DashboardUid;
  readonly title: string;
  readonly description: string;
  /** How far back it looks at first. */
  readonly from: Duration;
  readonly refresh: Duration;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}
