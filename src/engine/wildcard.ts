/**
 * Returns a function that compares texts with a pattern in which each `*` matches any text. It takes time in proportion to
 * the product of both lengths at most, so texts from outside are safe; a regular expression would not be.
 */
export function wildcard(pattern: string): (text: string) => boolean {
  const parts = pattern.split('*');
  const first = parts[0] as string;
  const last = parts.at(-1) as string;
  if (parts.length === 1) return (text) => text === pattern;
  const middle = parts.slice(1, -1);
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
    const end = text.length - last.length;
    let at = first.length;
    // The leftmost place of each part leaves most room for the next.
    for (const part of middle) {
      const found = text.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}
