/** ` (did you mean X?)` if an allowed name is similar enough to the written one; otherwise empty. */
export function suggest(written: string, allowed: readonly string[]): string {
  const tolerated = written.length < 4 ? 1 : Math.max(2, Math.floor(written.length / 3));
  return suggestion(written, allowed, tolerated);
}

/** Like `suggest`, for a variable that is not set. Names in an environment are many, so only a misspelt one is similar. */
export function suggestVariable(written: string, environment: readonly string[]): string {
  return written.length < 6 ? '' : suggestion(written, environment, 2);
}

function suggestion(written: string, allowed: readonly string[], tolerated: number): string {
  const nearest = allowed
    .map((name) => ({ name, distance: editDistance(written.slice(0, MAX_LENGTH), name) }))
    .toSorted((a, b) => a.distance - b.distance)[0];
  return nearest !== undefined && nearest.distance <= tolerated ? ` (did you mean ${nearest.name}?)` : '';
}

const MAX_LENGTH = 64;

/** The Levenshtein distance, in which two letters that have changed places count once. */
function editDistance(a: string, b: string): number {
  let [beforePrevious, previous] = [[] as number[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? (beforePrevious[j - 2] as number) + 1 : Infinity;
      current.push(Math.min(change, swap, (previous[j] as number) + 1, (current[j - 1] as number) + 1));
    }
    [beforePrevious, previous] = [previous, current];
  }
  return previous[b.length] as number;
}
