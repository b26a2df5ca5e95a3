/** A text with the values of an alert in it: the part of Go's templates that alerts need. */
import { RuleError } from '../rule-error.ts';
import { readAction, type Part } from './action.ts';
import type { AlertData, Value } from './alert-data.ts';
import { generalText } from './go-number.ts';

export interface Template {
  /** The source of the template. */
  readonly text: string;
  /** An absent label is an empty text. */
  render(data: AlertData): string;
}

/**
 * Reads texts such as `{{ $labels.queue }} has {{ $value | humanize }}`, with `if` and `with`.
 *
 * @throws RuleError for everything that Prometheus may know but this does not.
 */
export function parseTemplate(text: string): Template {
  const reader = new TemplateReader(piecesOf(text));
  const render = reader.block(undefined);
  reader.end();
  return { text, render };
}

/** Plain text, or what is between `{{` and `}}`. */
interface Piece {
  readonly isAction: boolean;
  readonly text: string;
}

const ACTION = /\{\{(- )?((?:"(?:[^"\\\n]|\\.)*"|`[^`]*`|[^"`])*?)( -)?\}\}/g;

function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let isTrimmed = false;
  const addText = (end: number, trimsEnd: boolean): void => {
    let plain = text.slice(at, end);
    if (plain.includes('{{')) throw new RuleError(`a {{ has no }}: ${shortened(plain)}`);
    if (isTrimmed) plain = plain.trimStart();
    if (trimsEnd) plain = plain.trimEnd();
    if (plain !== '') pieces.push({ isAction: false, text: plain });
  };
  for (const { 0: whole, 1: trimBefore, 2: action = '', 3: trimAfter, index } of text.matchAll(ACTION)) {
    addText(index, trimBefore !== undefined);
    pieces.push({ isAction: true, text: action.trim() });
    at = index + whole.length;
    isTrimmed = trimAfter !== undefined;
  }
  addText(text.length, false);
  return pieces;
}

type Render = (data: AlertData) => string;

/** Blocks within each other; deeper ones are a mistake. */
const MAX_DEPTH = 20;

class TemplateReader {
  readonly #pieces: readonly Piece[];
  #at = 0;
  #depth = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  /** Up to `else`, `end` or the end of the text. */
  block(dot: Part | undefined): Render {
    const parts: Render[] = [];
    for (;;) {
      const piece = this.#pieces[this.#at];
      if (piece === undefined || (piece.isAction && /^(?:else\b|end$)/.test(piece.text))) {
        return (data) => parts.map((part) => part(data)).join('');
      }
      this.#at++;
      parts.push(piece.isAction ? this.#action(piece.text, dot) : () => piece.text);
    }
  }

  end(): void {
    const next = this.#pieces[this.#at];
    if (next !== undefined) throw new RuleError(`{{ ${next.text} }} has no beginning`);
  }

  #action(text: string, dot: Part | undefined): Render {
    const [, keyword, condition = ''] = /^(if|with)\s+([^]*)$/.exec(text) ?? [];
    if (keyword === undefined) {
      const part = partOf(text, text, dot);
      return (data) => written(part.of(data));
    }
    if (++this.#depth > MAX_DEPTH) throw new RuleError('too many blocks within each other');
    const part = partOf(text, condition, dot);
    const then = this.block(keyword === 'with' ? part : dot);
    const otherwise = this.#accept('else') ? this.block(dot) : () => '';
    if (!this.#accept('end')) throw new RuleError(`{{ ${shortened(text)} }} has no {{ end }}`);
    this.#depth--;
    return (data) => (isTrue(part.of(data)) ? then(data) : otherwise(data));
  }

  #accept(text: string): boolean {
    const isNext = this.#pieces[this.#at]?.text === text;
    if (isNext) this.#at++;
    return isNext;
  }
}

function partOf(action: string, pipeline: string, dot: Part | undefined): Part {
  try {
    return readAction(pipeline, dot);
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    throw new RuleError(`{{ ${shortened(action)} }}: ${error.message}`, { cause: error });
  }
}

/** As in Go: neither empty nor 0. */
function isTrue(value: Value): boolean {
  return typeof value === 'string' ? value !== '' : value !== 0;
}

function written(value: Value): string {
  return typeof value === 'string' ? value : generalText(value);
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
