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

export function labelText(labels: Iterable<readonly [name: string, value: string]>): string {
  return [...labels].map(([name, value]) => `${nameText(name)}="${escaped(value)}"`).join(',');
}

function nameText(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : `"${escaped(name)}"`;
}

function escaped(text: string): string {
  return text.replaceAll(/[\\"\n]/g, (character) => (character === '\n' ? String.raw`\n` : `\\${character}`));
}

function unescaped(text: string): string {
  return text.replaceAll(/\\([^])/g, (_, character: string) => (character === 'n' ? '\n' : character));
}
