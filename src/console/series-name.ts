import type { Labels } from './data-source.ts';

/** Longer names are cut. */
const LONGEST = 120;

/**
 * The legend with the values of the labels.
 *
 * @param names What to call those that are codes.
 */
export function nameOf(legend: string, labels: Labels, names: Readonly<Record<string, string>> = {}): string {
  const filled = legend.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_, label: string) => labels[label] ?? '').trim();
  const name = names[filled] ?? filled;
  if (name === '') return '—';
  return name.length > LONGEST ? `${name.slice(0, LONGEST)}…` : name.replaceAll(/ {2,}/g, ' ');
}
