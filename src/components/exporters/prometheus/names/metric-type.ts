import type { FamilyType } from '../series/family.ts';

/** What decides a metric's name. A non-monotonic sum is shown as gauge but, unlike one, gains no `_ratio`. */
export type MetricType = FamilyType | 'non_monotonic';

/** The type on the page. */
export function shownAs(type: MetricType): FamilyType {
  return type === 'non_monotonic' ? 'gauge' : type;
}
