import type { Span } from '../data-source.ts';

const MOMENT = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** In the time of the reader's clock. */
export function momentText(atS: number): string {
  return MOMENT.format(atS * 1000);
}

export function spanText({ fromS, toS }: Span): string {
  return MOMENT.formatRange(fromS * 1000, toS * 1000);
}
