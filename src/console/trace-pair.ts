/** Between two ids in an address, as between two commits. */
const BETWEEN_IDS = '...';

/** The ids of an address `ID...ID`; undefined for any other. */
export function idPairOf(id: string): readonly [string, string] | undefined {
  const [first = '', second = '', ...others] = id.split(BETWEEN_IDS);
  return first === '' || second === '' || others.length > 0 ? undefined : [first, second];
}

/** The address of the comparison of two traces. */
export function comparisonAddress(first: string, second: string): string {
  return `/traces/${[first, second].map(encodeURIComponent).join(BETWEEN_IDS)}`;
}
