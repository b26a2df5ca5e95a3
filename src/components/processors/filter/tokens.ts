export type TokenKind = 'text' | 'number' | 'name' | 'symbol' | 'end';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** The position of its first character, from 1. */
  readonly at: number;
}

const TOKEN =
  /\s*(?:(?<text>"(?:\\.|[^\\"])*")|(?<number>\d+\.\d*|\.?\d+)|(?<name>[A-Za-z_]\w*)|(?<symbol>==|!=|>=|<=|[<>()[\].,+\-*/={}:]))/y;

/** @throws Error that names the position. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN);
  while (pattern.lastIndex < text.trimEnd().length) {
    const from = pattern.lastIndex;
    const { groups } = pattern.exec(text) ?? {};
    if (groups === undefined) throw new Error(`character ${from + 1}: is not part of a condition`);
    const kind = (['text', 'number', 'name', 'symbol'] as const).find((one) => groups[one] !== undefined) ?? 'symbol';
    const found = groups[kind] ?? '';
    tokens.push({ kind, text: found, at: pattern.lastIndex - found.length + 1 });
  }
  tokens.push({ kind: 'end', text: '', at: text.length + 1 });
  return tokens;
}
