import { labelText } from './label-set.ts';

/** How to write names that a scraper does not accept. https://prometheus.io/docs/instrumenting/escaping_schemes/ */
export type EscapingScheme = 'allow-utf-8' | 'underscores' | 'dots' | 'values';

/** The characters that older scrapers accept in the name of a metric, and of a label. */
const METRIC_CHARACTER = /[A-Za-z_:]/;
const LABEL_CHARACTER = /[A-Za-z_]/;
/** A label in the text of a series: its name, quoted or bare, then its quoted value. A metric's name has no value. */
const LABEL = /(?:"((?:[^"\\]|\\.)*)"|([^"=,]+))(?:="((?:[^"\\]|\\.)*)")?,?/gsy;

export function escapeName(name: string, scheme: EscapingScheme, character = METRIC_CHARACTER): string {
  if (scheme === 'allow-utf-8' || name === '') return name;
  const write = (one: (char: string, legal: boolean) => string): string =>
    Array.from(name, (char, i) => one(char, character.test(char) || (i > 0 && /[0-9]/.test(char)))).join('');
  if (scheme === 'dots') return write((char, legal) => DOTS[char] ?? (legal ? char : '__'));
  const underscored = write((char, legal) => (legal ? char : '_'));
  if (underscored === name && !(scheme === 'values' && name.startsWith('U__'))) return name;
  if (scheme === 'underscores') return underscored;
  return `U__${write((char, legal) => (char === '_' ? '__' : legal ? char : hex(char)))}`;
}

const DOTS: Readonly<Record<string, string>> = { '.': '_dot_', _: '__' };

/**
 * The same labels with escaped names, sorted by these. If several names are escaped to the same text, their values are
 * joined, as for colliding attributes.
 */
export function escapeLabels(labels: string, scheme: EscapingScheme): string {
  const values = new Map<string, string>();
  for (const [original, value] of writtenLabels(labels)) {
    const name = escapeName(original, scheme, LABEL_CHARACTER);
    const existing = values.get(name);
    values.set(name, existing === undefined ? value : `${existing};${value}`);
  }
  const sorted = [...values].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([name, value]) => labelText(name, value)).join(',');
}

/** The names of the labels, with their escaped values. A metric's name among them is skipped. */
export function* writtenLabels(labels: string): Generator<[name: string, value: string]> {
  for (const [, quoted, bare, value] of labels.matchAll(LABEL)) {
    if (value !== undefined) yield [bare ?? unescape(quoted ?? ''), value];
  }
}

function hex(char: string): string {
  return `_${(char.codePointAt(0) ?? 0).toString(16)}_`;
}

export function unescape(text: string): string {
  return !text.includes('\\') ? text : text.replaceAll(/\\(.)/gs, (_, char: string) => (char === 'n' ? '\n' : char));
}
