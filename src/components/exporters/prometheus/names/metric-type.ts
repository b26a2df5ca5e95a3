/** The words of TYPE lines. */
export type FamilyType = 'gauge' | 'counter' | 'histogram' | 'summary';

/** The type that determines a metric's name. A non-monotonic sum is shown as a gauge, but without the suffix `_ratio`. */
export type MetricType = FamilyType | 'non_monotonic';

/** The type on the page. */
export function shownAs(type: MetricType): FamilyType {
  return type === 'non_monotonic' ? 'gauge' : type;
}
