import type { Labels } from './data-source.ts';

/** Longer names are cut. */
const LONGEST = 120;

/** The legend with the values of the labels. */
export function nameOf(legend: string, labels: Labels): string {
  const name = legend.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_, label: string) => labels[label] ?? '').trim();
  if (name === '') return '—';
  return name.length > LONGEST ? `${name.slice(0, LONGEST)}…` : name.replaceAll(/ {2,}/g, ' ');
}
