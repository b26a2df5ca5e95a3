import type { ViewName } from '../page-settings.ts';

/** A view that is shown. */
export interface PageView {
  /** Stops its timers. It does not draw again. */
  end(): void;
}

/** Where a view draws. */
export interface Stage {
  /** Below the links to the views, in the header: choices. */
  readonly top: HTMLElement;
  readonly main: HTMLElement;
}

/** The views as a reader knows them. */
export const VIEW_TITLES: Readonly<Record<ViewName, string>> = {
  traces: 'Traces',
  changes: 'Changes',
  errors: 'Errors',
  logs: 'Logs',
  database: 'Database',
  alerts: 'Alerts',
  pipelines: 'Pipelines',
};
