/** Labels as in the text format: `name="value",…`, names in quotes where they need them. */
const LABEL = /(?:([A-Za-z_]\w*)|"((?:[^"\\]|\\.)*)")="((?:[^"\\]|\\[^])*)"/gy;

export function* readLabels(text: string): Generator<readonly [name: string, value: string]> {
  let at = 0;
  while (at < text.length) {
    LABEL.lastIndex = at;
    const [all, name, quoted = '', value = ''] = LABEL.exec(text) ?? [];
    if (all === undefined) throw new Error(`the labels cannot be read: ${text}`);
    yield [name ?? unescaped(quoted), unescaped(value)];
    // A comma.
    at += all.length + 1;
  }
}

function unescaped(text: string): string {
  return text.replaceAll(/\\([^])/g, (_, character: string) => (character === 'n' ? '\n' : character));
}
