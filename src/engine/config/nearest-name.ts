/** ` (did you mean X?)` if an allowed name is similar enough to the written one; otherwise empty. */
export function suggest(written: string, allowed: readonly string[]): string {
  const nearest = allowed
    .map((name) => ({ name, distance: editDistance(written.slice(0, MAX_LENGTH), name) }))
    .toSorted((a, b) => a.distance - b.distance)[0];
  const tolerated = written.length < 4 ? 1 : Math.max(2, Math.floor(written.length / 3));
  return nearest !== undefined && nearest.distance <= tolerated ? ` (did you mean ${nearest.name}?)` : '';
}

const MAX_LENGTH = 64;

/** The Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(change, (previous[j] as number) + 1, (current[j - 1] as number) + 1));
    }
    previous = current;
  }
  return previous[b.length] as number;
}
