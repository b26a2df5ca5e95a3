/** The type of a family on the page. A non-monotonic sum is shown as gauge but, unlike one, gains no `_ratio`. */
export type MetricType = 'gauge' | 'non_monotonic' | 'counter' | 'histogram' | 'summary';

/** The word in the TYPE line. */
export function typeWord(type: MetricType): string {
  return type === 'non_monotonic' ? 'gauge' : type;
}
