import { parseSync, Visitor } from 'rolldown/utils';
import { COMMENT_STARTS, PATTERNS, SENTENCE_STARTS } from './prose-patterns.ts';
import { filesBelow, readText } from './source-files.ts';

export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly found: string;
  readonly instead: string;
  /** Users see texts. Comments, and the strings of tests, are for contributors. */
  readonly kind: 'text' | 'comment' | 'test';
}

interface Passage {
  readonly line: number;
  readonly text: string;
  readonly kind: Finding['kind'];
}

const WITH_PROSE = /\.(?:m?ts|md|ya?ml|sql|sh|css|html)$/;
const GENERATED = /^dashboards\/|lock\.yaml$/;

/** The files below a folder, or the file itself. */
export function filesWithProse(path: string): string[] {
  const files = WITH_PROSE.test(path) ? [path] : filesBelow(path, WITH_PROSE);
  return files.filter((file) => !GENERATED.test(file));
}

export function proseFindings(file: string): Finding[] {
  const passages = passagesOf(file, readText(file));
  return passages.flatMap(({ text, line, kind }) => {
    const patterns = [...PATTERNS, kind === 'comment' ? COMMENT_STARTS : SENTENCE_STARTS];
    return patterns.flatMap(({ pattern, instead }) =>
      Array.from(text.matchAll(pattern), (match) => ({
        file,
        line: line + newlines(text.slice(0, match.index + 1)),
        found: match[0].trim().slice(0, 60),
        instead,
        kind,
      })),
    );
  });
}

function passagesOf(file: string, text: string): Passage[] {
  if (/\.m?ts$/.test(file)) return fromSource(file, text);
  if (file.endsWith('.md')) return fromMarkdown(text);
  return fromComments(file, text);
}

/** Comments, and every string that has a space in it. */
function fromSource(file: string, source: string): Passage[] {
  const lineAt = lineCounter(source);
  const { program, comments } = parseSync(file, source);
  const kind = /^tests\/|\.test\.ts$/.test(file) ? 'test' : 'text';
  const passages: Passage[] = joinLines(
    comments.map(({ type, value, start }) => ({
      block: type === 'Block',
      line: lineAt(start),
      text: value.replaceAll(/^[ *]+/gm, '').replaceAll(/`[^`\n]*`/g, 'X'),
    })),
  );
  const add = (start: number, text: string) => {
    if (/\w \w/.test(text)) passages.push({ line: lineAt(start), text, kind });
  };
  new Visitor({
    Literal: ({ value, start }) => typeof value === 'string' && add(start, value),
    TemplateLiteral: ({ quasis, start }) => add(start, quasis.map(({ value }) => value.cooked ?? '').join('X')),
  }).visit(program);
  return passages;
}

/** Comments of `//` on consecutive lines are one passage. */
function joinLines(comments: readonly { block: boolean; line: number; text: string }[]): Passage[] {
  const passages: Passage[] = [];
  let nextLine = -1;
  for (const { block, line, text } of comments) {
    const last = passages.at(-1);
    if (!block && line === nextLine && last !== undefined)
      passages.splice(-1, 1, { ...last, text: `${last.text}\n${text}` });
    else passages.push({ line, text: text.trimStart(), kind: 'comment' });
    nextLine = block ? -1 : line + 1;
  }
  return passages;
}

/** Each line, without code. A row of a table is split into its cells. */
function fromMarkdown(text: string): Passage[] {
  const prose = text.replaceAll(/^(?:```|~~~)[\s\S]*?^(?:```|~~~)/gm, (block) => '\n'.repeat(newlines(block)));
  return prose.split('\n').flatMap((line, index) =>
    line
      .replaceAll(/`[^`]*`/g, 'X')
      .replace(/^[\s>#*\d.-]+/, '')
      .split('|')
      .map((cell) => ({ line: index + 1, text: cell.trim(), kind: 'text' as const })),
  );
}

/** YAML, SQL, shell: lines of comments, and values in YAML. */
function fromComments(file: string, text: string): Passage[] {
  return text.split('\n').flatMap((line, index) => {
    const comment = /(?:^|\s)(?:#|--|\/\*|<!--) ?(.*)/.exec(line)?.[1];
    const words = comment ?? (/\.ya?ml$/.test(file) ? line.replace(/^[^:]*:\s*/, '') : '');
    return /\w \w/.test(words) ? [{ line: index + 1, text: words, kind: 'text' as const }] : [];
  });
}

function lineCounter(source: string): (offset: number) => number {
  const ends = Array.from(source.matchAll(/\n/g), ({ index }) => index);
  return (offset) => ends.filter((end) => end < offset).length + 1;
}

function newlines(text: string): number {
  return text.split('\n').length - 1;
}
