import type { Tone } from '../dashboards/model/panel.ts';
import type { Threshold } from '../dashboards/threshold.ts';

/** The meaning of a number. Undefined without a threshold. */
export function toneOf(value: number, thresholds: Threshold | undefined): Tone | undefined {
  if (thresholds === undefined || Number.isNaN(value)) return undefined;
  const { bad, warning, critical } = thresholds;
  const isPast = (limit: number | undefined): boolean =>
    limit !== undefined && (bad === 'above' ? value >= limit : value < limit);
  if (isPast(critical)) return 'bad';
  return isPast(warning) ? 'warning' : 'good';
}
