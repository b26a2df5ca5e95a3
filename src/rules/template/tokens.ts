import { textOf } from '../../promql/syntax/literal.ts';
import { RuleError } from '../rule-error.ts';

export interface Token {
  readonly kind: 'text' | 'number' | 'variable' | 'word' | 'sign';
  readonly text: string;
}

const TOKEN =
  /\s+|(?<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?<number>[-+]?\d+(?:\.\d+)?(?![\w.]))|(?<variable>\$\w*(?:\.\w+)*|(?:\.\w+)+|\.)|(?<word>[A-Za-z_]\w*)|(?<sign>[|()])/gy;

/** The words of an action. @throws RuleError for a character that has no meaning here. */
export function tokensOf(action: string): readonly Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < action.length) {
    const from = TOKEN.lastIndex;
    const { groups = {} } = TOKEN.exec(action) ?? {};
    if (TOKEN.lastIndex <= from) throw new RuleError(`${action.slice(from).trim()} is not supported`);
    const [kind, text] = Object.entries(groups).find(([, found]) => found !== undefined) ?? [];
    if (kind === undefined || text === undefined) continue;
    tokens.push({ kind: kind as Token['kind'], text: kind === 'text' ? textOf(text, from) : text });
  }
  return tokens;
}
