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

const MARKS = {
  day: new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' }),
  minute: new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' }),
  second: new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' }),
};

/** Marks of an axis, as long as they must be so that no two are the same; a day begins with its date. */
export function timeMarks(marksS: readonly number[]): string[] {
  const distances = marksS.slice(1).map((markS, index) => markS - (marksS[index] ?? 0));
  // A single mark needs no distance.
  const distanceS = distances.length === 0 ? 60 : Math.min(...distances);
  const within = distanceS < 60 ? MARKS.second : MARKS.minute;
  return marksS.map((markS) => {
    const isDay = distanceS >= 23 * 3600 || within.format(markS * 1000).replaceAll(/[0:]/g, '') === '';
    return (isDay ? MARKS.day : within).format(markS * 1000);
  });
}
