import { readFileSync } from 'node:fs';

const DOCUMENT = new URL('../../docs/compatibility.md', import.meta.url);

/** The ids of the rows of docs/compatibility.md about the `prometheus` exporter. */
export function declaredIds(): ReadonlySet<string> {
  const rows = readFileSync(DOCUMENT, 'utf8').matchAll(/^\| `(prometheus-[a-z-]+)` \|/gm);
  return new Set([...rows].map(([, id = '']) => id));
}
