import type { Panel, Query } from './panel.ts';

/**
 * The unit of a panel, which all its queries share. Each column of a table has its own unit. One panel may show counts of
 * different things.
 */
export function unitOf({ title, queries }: Pick<Panel, 'title'> & { readonly queries: readonly Query[] }): string {
  return sharedUnit(
    title,
    queries.map(({ expression }) => expression.unit),
  );
}

/** @throws TypeError if the units of the queries of the panel `title` differ. */
export function sharedUnit(title: string, ofQueries: readonly string[]): string {
  const units = new Set(ofQueries);
  const [unit] = units;
  if (unit !== undefined && units.size === 1) return unit;
  if (units.size === 0) throw new TypeError(`${title}: the query is missing`);
  for (const suffix of ['', '/s']) {
    if ([...units].every((one) => isCount(one.slice(0, one.length - suffix.length)) && one.endsWith(suffix)))
      return `{count}${suffix}`;
  }
  throw new TypeError(`${title}: ${[...units].join(', ')} are several units`);
}

/**
 * The counted things, for readers: `transactions`, `points per second`. Undefined for other units, which numbers show, and
 * for observations: the title names what was observed.
 */
export function countedThings(unit: string): string | undefined {
  const [, word = '', perSecond = ''] = /^\{(\w+)\}(\/s)?$/.exec(unit) ?? [];
  if (UNNAMED.has(word)) return undefined;
  return pluralOf(NAMES[word] ?? word) + (perSecond === '' ? '' : ' per second');
}

const UNNAMED = new Set(['', 'count', 'fraction', 'multiple', 'observation']);

const NAMES: Readonly<Record<string, string>> = { score: 'point' };

/** Things that a number needs next to it, because no title names them. */
export function isSpoken(unit: string): boolean {
  return SPOKEN.has(unit);
}

const SPOKEN = new Set(['{score}', '{transaction}', '{multixact}']);

function pluralOf(word: string): string {
  const words = word.replaceAll('_', ' ');
  if (words.endsWith('series')) return words;
  if (/[^aeiou]y$/.test(words)) return `${words.slice(0, -1)}ies`;
  return /(?:s|x|ch|sh)$/.test(words) ? `${words}es` : `${words}s`;
}

/** True if the unit counts things that are not divided. */
export function isWhole(unit: string): boolean {
  return isCount(unit) && !DIVIDED.has(unit);
}

const DIVIDED = new Set(['{score}', '{fraction}', '{multiple}']);

/** True if the unit is an annotation that names the counted things. */
export function isCount(unit: string): boolean {
  return /^\{\w+\}$/.test(unit);
}
