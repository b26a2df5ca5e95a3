/** How values of telemetry look, in a terminal and on the page. */
import { UNPRINTABLE } from '../engine/json-text.ts';

/** In place of an empty list. */
export const NONE_FITS = {
  traces: 'no trace fits',
  logs: 'no log line fits',
  errors: 'no exception fits',
} as const;

/** Behind a list that a limit has cut. */
export const MORE_FIT = 'There are more: a higher limit shows them, at most 1000, or other conditions leave fewer';

/** One line without control characters. Line breaks become spaces. */
export function oneLine(text: string): string {
  return text
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll(UNPRINTABLE, '\u{FFFD}')
    .trimEnd();
}

/** The lines of a text without control characters. */
export function linesOf(text: string): string[] {
  return text.split(/\r?\n/).map((line) => line.replaceAll('\t', '    ').replaceAll(UNPRINTABLE, '\u{FFFD}').trimEnd());
}

/** At most so many characters; a cut text ends with an ellipsis. */
export function fitted(text: string, width: number): string {
  const characters = Array.from(text);
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Three significant digits with a unit. */
export function durationText(ms: number): string {
  const size = Math.abs(ms);
  if (size < 1) return `${Math.round(ms * 1000)} µs`;
  if (size < 1000) return `${digits(ms)} ms`;
  if (size < 120_000) return `${digits(ms / 1000)} s`;
  return `${digits(ms / 60_000)} min`;
}

/** A difference. */
export function signedText(ms: number): string {
  return `${ms > 0 ? '+' : ''}${durationText(ms)}`;
}

/** `2026-01-31 12:00:00.123Z` */
export function timeText(unixNano: string): string {
  const ms = Number(BigInt(unixNano) / 1_000_000n);
  // Dates of JavaScript end in the year 275760.
  return ms > 8.64e15 ? `${unixNano} ns` : new Date(ms).toISOString().replace('T', ' ');
}

/** The part of `timeText` behind the date, without milliseconds. */
export function clockText(unixNano: string): string {
  return timeText(unixNano).replace(/^.* (\d\d:\d\d:\d\d).*$/, '$1');
}

const SEVERITIES = ['', 'TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** The name of a severity number. */
export function severityName({
  severityNumber,
  severityText,
}: {
  readonly severityNumber: number;
  readonly severityText: string;
}): string {
  return SEVERITIES[Math.ceil(severityNumber / 4)] || oneLine(severityText).toUpperCase() || '-';
}

export function valueText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `name` in the right number. */
export function counted(count: number, name: string, names = `${name}s`): string {
  return `${count} ${count === 1 ? name : names}`;
}

function digits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}
