import type { Panel, Query } from './panel.ts';

/**
 * The unit of a panel, which all its queries share. Each column of a table has its own unit. One panel may show counts of
 * different things.
 */
export function unitOf({ title, queries }: Pick<Panel, 'title'> & { readonly queries: readonly Query[] }): string {
  const units = new Set(queries.map(({ expression }) => expression.unit));
  const [unit] = units;
  if (unit !== undefined && units.size === 1) return unit;
  if (units.size === 0) throw new TypeError(`${title}: the query is missing`);
  for (const suffix of ['', '/s']) {
    if ([...units].every((one) => isCount(one.slice(0, one.length - suffix.length)) && one.endsWith(suffix)))
      return `{count}${suffix}`;
  }
  throw new TypeError(`${title}: ${[...units].join(', ')} are several units`);
}

/** True if the unit is an annotation that names the counted things. */
export function isCount(unit: string): boolean {
  return /^\{\w+\}$/.test(unit);
}
