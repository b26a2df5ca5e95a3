import type { DashboardModel } from '../dashboards/model/dashboard-model.ts';

/** The page reads them before it shows anything. */
export interface PageSettings {
  readonly dashboards: readonly DashboardModel[];
  /** How often a series gets a sample. */
  readonly scrapeS: number;
  /** Where traces are, as in a browser: `https://<organisation>.sentry.io`. */
  readonly sentry?: string | undefined;
  /** The path below which the HTTP API of Prometheus is. */
  readonly prometheus: string;
  /** True if dashboards without data are not in the list. */
  readonly listsOnlyWithData: boolean;
  /** The views besides the dashboards. */
  readonly views: readonly ViewName[];
}

/** All views besides the dashboards, in the order of their links. */
export const VIEWS = ['traces', 'changes', 'errors', 'logs', 'database', 'alerts', 'pipelines'] as const;

export type ViewName = (typeof VIEWS)[number];
