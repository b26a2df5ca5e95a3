/** The labels of a series, sorted by name, its metric's name under `__name__`. A label without a value is absent. */
export type Labels = ReadonlyMap<string, string>;

export const METRIC_NAME = '__name__';

export const NO_LABELS: Labels = new Map();

/** Sorts the labels and leaves out those without a value. */
export function labelsOf(pairs: Iterable<readonly [name: string, value: string]>): Labels {
  const present = [...pairs].filter(([, value]) => value !== '');
  return new Map(present.toSorted(([a], [b]) => compareNames(a, b)));
}

/** The labels of both. The others decide about a label that both have. */
export function merged(labels: Labels, others: Labels): Labels {
  const all = new Map<string, string>();
  const rest = others.entries();
  let next = rest.next();
  for (const [name, value] of labels) {
    for (; next.done !== true && compareNames(next.value[0], name) <= 0; next = rest.next()) all.set(...next.value);
    if (!all.has(name)) all.set(name, value);
  }
  for (; next.done !== true; next = rest.next()) all.set(...next.value);
  return all;
}

/** The order of bytes in UTF-8, for the characters that names have. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Text from a series never contains a half of a surrogate pair, so it separates. */
const SEPARATOR = '\uD800';

/** Equal for equal labels, and only for them. */
export function keyOf(labels: Labels, counts: (name: string) => boolean = () => true): string {
  let key = '';
  for (const [name, value] of labels) if (counts(name)) key += name + SEPARATOR + value + SEPARATOR;
  return key;
}

/** Only these labels. */
export function keep(labels: Labels, names: ReadonlySet<string>): Labels {
  const kept = new Map<string, string>();
  for (const [name, value] of labels) if (names.has(name)) kept.set(name, value);
  return kept;
}

/** All but these labels. */
export function drop(labels: Labels, names: ReadonlySet<string>): Labels {
  const left = new Map<string, string>();
  for (const [name, value] of labels) if (!names.has(name)) left.set(name, value);
  return left;
}

const NAME_ONLY: ReadonlySet<string> = new Set([METRIC_NAME]);

/** A computed value belongs to another metric, so the name goes. */
export function withoutName(labels: Labels): Labels {
  return labels.has(METRIC_NAME) ? drop(labels, NAME_ONLY) : labels;
}

/** With this value of a label; an empty one removes it. */
export function withLabel(labels: Labels, name: string, value: string): Labels {
  return labelsOf([...drop(labels, new Set([name])), [name, value]]);
}
