/** siphon recognises its own dashboards by this tag. */
export const DASHBOARD_TAG = 'siphon-otel';
