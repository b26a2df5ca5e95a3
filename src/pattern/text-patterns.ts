import { Pattern } from './pattern.ts';
import type { Steps, Work } from './work.ts';

/** Senders choose the texts. Further characters are not compared. */
const MAX_COMPARED = 4096;
/** The number of states that a match may be in. */
const MAX_SIZE = 1000;
/** Values that repeat are short; longer ones take too much memory. */
const MAX_REMEMBERED_LENGTH = 256;
const MAX_REMEMBERED = 128;

/**
 * A pattern of a configuration, in the syntax of Go.
 *
 * @throws Error that describes a mistake in the pattern.
 */
export function textPattern(source: string): Pattern {
  const pattern = new Pattern(source);
  if (pattern.size > MAX_SIZE) throw new Error('the pattern has too many repetitions');
  return pattern;
}

/** Compares texts with patterns that may fit anywhere in them. Takes linear time. */
export class TextPatterns {
  readonly #patterns: readonly Pattern[];
  readonly #maxRemembered: number;
  /** The answers for the latest texts, the oldest first. */
  readonly #answers = new Map<string, boolean>();

  /** @param maxRemembered the number of texts whose answers are remembered; 0 means the default. */
  constructor(sources: readonly string[], maxRemembered: number) {
    this.#patterns = sources.map(textPattern);
    this.#maxRemembered = maxRemembered || MAX_REMEMBERED;
  }

  /** True if one of the patterns fits a part of the text. */
  *fit(text: string, work: Work): Steps<boolean> {
    const known = this.#answers.get(text);
    if (known !== undefined) return known;
    const answer = yield* this.#compare(compared(text), work);
    if (text.length <= MAX_REMEMBERED_LENGTH) this.#remember(text, answer);
    return answer;
  }

  *#compare(text: string, work: Work): Steps<boolean> {
    for (const pattern of this.#patterns) {
      if (yield* pattern.fitsWithin(text, work)) return true;
    }
    return false;
  }

  #remember(text: string, answer: boolean): void {
    this.#answers.set(text, answer);
    if (this.#answers.size <= this.#maxRemembered) return;
    for (const oldest of this.#answers.keys()) {
      this.#answers.delete(oldest);
      return;
    }
  }
}

/** A cut text does not end where it is cut, so `$` must not match there. */
function compared(text: string): string {
  return text.length <= MAX_COMPARED ? text : `${text.slice(0, MAX_COMPARED)}\0`;
}
