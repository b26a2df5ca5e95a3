import type { Labels } from './data-source.ts';

/** The legend with the values of the labels; a series without a name is called by its labels. */
export function nameOf(legend: string, labels: Labels): string {
  const name = legend.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_, label: string) => labels[label] ?? '').trim();
  return name === '' ? '—' : name.replaceAll(/ {2,}/g, ' ');
}
