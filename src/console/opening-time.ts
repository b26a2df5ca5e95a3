/** The time range that a page opens with. */
import type { DashboardModel } from '../dashboards/model/dashboard-model.ts';
import type { DataSource } from './data-source.ts';
import { secondsOf } from '../dashboards/promql/duration.ts';

/** The choices of a time range that ends now, from short to long. */
export const RANGES = ['5m', '15m', '1h', '6h', '1d', '7d', '30d', '90d'] as const;

/**
 * The range of the dashboard, or the shortest one with all data: a month that ends with the ten minutes since an
 * installation shows nothing. If the source does not answer, the panels show it.
 */
export async function openingRange(
  { from, variables }: DashboardModel,
  source: DataSource,
  nowS: number,
): Promise<string> {
  const names = variables.flatMap((variable) => (variable.kind === 'values' ? [nameIn(variable.series)] : []));
  const fullS = secondsOf(from) ?? 0;
  let chosen = from;
  if (names.length === 0) return chosen;
  const shorter = RANGES.filter((range) => (secondsOf(range) ?? 0) < fullS);
  for (const range of shorter.toReversed()) {
    const lengthS = secondsOf(range) ?? 0;
    const before = `count(last_over_time({__name__=~"${[...new Set(names)].join('|')}"}[${fullS - lengthS}s]))`;
    const found = await source.at(before, nowS - lengthS).catch(() => undefined);
    if (found === undefined || found.length > 0) return chosen;
    chosen = range;
  }
  // Without any data, a short time is as empty as a long one.
  return (await hasData(source, names, { nowS, chosen })) ? chosen : from;
}

async function hasData(
  source: DataSource,
  names: readonly string[],
  { nowS, chosen }: { readonly nowS: number; readonly chosen: string },
): Promise<boolean> {
  const any = `count(last_over_time({__name__=~"${names.join('|')}"}[${chosen}]))`;
  return (await source.at(any, nowS).catch(() => [])).length > 0;
}

function nameIn(series: string): string {
  return /^[A-Za-z_:][\w:]*/.exec(series)?.[0] ?? series;
}
