/** A Prometheus may know more than a page can show: the first ones, and how many are left out. */
export function shownPart<Item>(
  items: readonly Item[],
  most: number,
): { readonly shown: readonly Item[]; readonly left: number } {
  return { shown: items.slice(0, most), left: Math.max(0, items.length - most) };
}
