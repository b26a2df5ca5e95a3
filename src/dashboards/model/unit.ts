import type { Panel, Query } from './panel.ts';

/**
 * The unit of what a panel shows, which all of its queries share; of a table each column has its own. Things of several
 * kinds may be counted side by side.
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

/** Whether it is the name of what is counted. */
export function isCount(unit: string): boolean {
  return /^\{\w+\}$/.test(unit);
}
