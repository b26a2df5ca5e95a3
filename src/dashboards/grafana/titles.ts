import { dashboards } from '../../packs/dashboards.ts';
import type { DashboardUid } from '../model/dashboard.ts';

export function titleOf(uid: DashboardUid): string {
  const dashboard = dashboards.find((one) => one.uid === uid);
  if (dashboard === undefined) throw new Error(`no dashboard ${uid}`);
  return dashboard.title;
}
