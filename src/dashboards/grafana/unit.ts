import type { PanelModel } from '../model/dashboard-model.ts';
import { isCount } from '../model/unit.ts';

/** Grafana's names of the units (UCUM) of metrics. */
export function grafanaUnit(unit: string): string {
  const known = GRAFANA_UNITS[unit];
  if (known !== undefined) return known;
  if (unit.endsWith('/s') && isCount(unit.slice(0, -2))) return 'cps';
  if (isCount(unit)) return 'short';
  throw new TypeError(`no unit of Grafana for ${unit}`);
}

const GRAFANA_UNITS: Readonly<Record<string, string>> = {
  s: 's',
  By: 'bytes',
  'By/s': 'Bps',
  '%': 'percent',
  '1': 'percentunit',
  '{fraction}': 'percentunit',
  '{score}': 'none',
};

/** The unit of the values of a panel; a histogram shows counts. */
export function panelUnit({ title, queries }: PanelModel): string {
  const units = new Set(queries.map(({ unit }) => grafanaUnit(unit)));
  const [unit] = units;
  if (units.size !== 1 || unit === undefined)
    throw new TypeError(`${title}: ${[...units].join(', ')} are several units`);
  return unit;
}
