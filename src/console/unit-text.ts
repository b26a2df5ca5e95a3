/** Numbers as people read them, by their unit in UCUM. */
import { countedThings, isSpoken, isWhole } from '../dashboards/model/unit.ts';

export function textOf(value: number, unit: string): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'no number' : value > 0 ? '∞' : '−∞';
  if (unit === 's') return durationText(value);
  if (unit === '%') return `${rounded(value)} %`;
  if (unit === '1' || unit === '{fraction}') return `${rounded(value * 100)} %`;
  if (unit === 'By' || unit === 'By/s') return bytesText(value) + (unit === 'By' ? '' : '/s');
  return unit.endsWith('/s') ? `${shortText(value)}/s` : countText(value, unit);
}

/** Events are not halves. */
function countText(value: number, unit: string): string {
  return shortText(isWhole(unit) ? Math.round(value) : value);
}

/** The same, with the things that are counted where no title names them: `954 transactions`. */
export function spokenText(value: number, unit: string): string {
  const things = isSpoken(unit) ? countedThings(unit) : undefined;
  return things === undefined ? textOf(value, unit) : `${textOf(value, unit)} ${things}`;
}

/** The values in a bucket: up to its bound, or the rest above the bound before it. */
export function bucketText(upTo: number, before: number | undefined, unit: string): string {
  return upTo === Infinity && before !== undefined ? `> ${boundText(before, unit)}` : `≤ ${boundText(upTo, unit)}`;
}

/** The bound of a bucket: sizes are set in powers of ten, and what has no unit is how many times as much. */
function boundText(bound: number, unit: string): string {
  if (!Number.isFinite(bound)) return textOf(bound, unit);
  if (unit === 'By') return scaled(bound, DECIMAL_BYTES, 'B');
  return unit === '1' ? `×${rounded(bound)}` : textOf(bound, unit);
}

const DECIMAL_BYTES: readonly (readonly [string, number])[] = [
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
  ['B', 1],
];

const DURATIONS: readonly (readonly [string, number])[] = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
  ['ms', 1e-3],
  ['µs', 1e-6],
];

function durationText(seconds: number): string {
  return scaled(seconds, DURATIONS, 's');
}

function bytesText(bytes: number): string {
  return scaled(
    bytes,
    [
      ['TiB', 2 ** 40],
      ['GiB', 2 ** 30],
      ['MiB', 2 ** 20],
      ['KiB', 2 ** 10],
      ['B', 1],
    ],
    'B',
  );
}

function shortText(value: number): string {
  const [size, letter] = Math.abs(value) >= 1e9 ? [1e9, 'G'] : Math.abs(value) >= 1e6 ? [1e6, 'M'] : [1e4, 'k'];
  if (Math.abs(value) < size) return rounded(value);
  return rounded(value / (letter === 'k' ? 1000 : size)) + letter;
}

function scaled(value: number, sizes: readonly (readonly [string, number])[], zero: string): string {
  const size = sizes.find(([, least]) => Math.abs(value) >= least) ?? sizes.at(-1);
  if (value === 0 || size === undefined) return `0 ${zero}`;
  return `${rounded(value / size[1])} ${size[0]}`;
}

/** Three digits that count, and no zeros that do not. Only 0 reads 0. */
function rounded(value: number): string {
  const size = Math.abs(value);
  if (size > 0 && size < 1) return String(Number(value.toPrecision(3))).replaceAll('-', '−');
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits))).replace('-', '−');
}
