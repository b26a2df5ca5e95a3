/** siphon recognises its own dashboards by this tag. */
export const DASHBOARD_TAG = 'siphon-otel';

/** True if siphon may overwrite the dashboard. */
export function hasDashboardTag(dashboard: unknown): boolean {
  const { tags } = (dashboard ?? {}) as { tags?: unknown };
  return Array.isArray(tags) && tags.includes(DASHBOARD_TAG);
}
