import type { PanelModel } from '../model/dashboard-model.ts';
import { countedThings, isCount, isSpoken, sharedUnit } from '../model/unit.ts';

/** Grafana's names of the units (UCUM) of metrics. */
export function grafanaUnit(unit: string): string {
  const known = GRAFANA_UNITS[unit];
  if (known !== undefined) return known;
  if (unit.endsWith('/s') && isCount(unit.slice(0, -2))) return 'cps';
  if (isSpoken(unit)) return `count:${countedThings(unit)}`;
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
};

/** The unit (UCUM) of the values of a panel; a histogram shows counts. */
export function panelUnit({ title, queries }: PanelModel): string {
  return sharedUnit(
    title,
    queries.map(({ unit }) => unit),
  );
}
