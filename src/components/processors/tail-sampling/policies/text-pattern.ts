import { atOnce } from '../../../../engine/time-slice.ts';
import { Budget } from '../../../../promql/budget.ts';
import { Pattern } from '../../../../promql/pattern/pattern.ts';

/** Senders choose the texts. Further characters are not compared, so that a text takes at most some milliseconds. */
const MAX_COMPARED = 4096;

/** The time is bounded by the length of the text. */
const UNLIMITED = { maxSamples: Infinity, maxSeries: Infinity, timeoutMs: Infinity };

/**
 * A test for a regular expression in the syntax of Go, as configurations of the Collector have it: true if it matches
 * anywhere in a text. Takes linear time, as in Go; JavaScript's own expressions may take for ever.
 *
 * @throws Error that describes a mistake in the pattern.
 */
export function textPattern(source: string): (text: string) => boolean {
  // Alone first: otherwise the parentheses around it could hide a mistake.
  const { size } = new Pattern(source);
  if (size > MAX_SIZE) throw new Error('the pattern has too many repetitions');
  const anywhere = new Pattern(`(?s:.*)(?:${source})(?s:.*)`);
  return (text) => atOnce(anywhere.fits(compared(text), new Budget(UNLIMITED)));
}

/** A cut text does not end where it is cut, so `$` must not match there. */
function compared(text: string): string {
  return text.length <= MAX_COMPARED ? text : `${text.slice(0, MAX_COMPARED)}\0`;
}

/** The number of states that a match may be in. */
const MAX_SIZE = 1000;
