/** Distinguishable in light and dark, also for most colour-blind readers. Contains no red or green, which have a meaning. */
const PALETTE = [
  '#3b7ddd',
  '#cf7a12',
  '#8a63d2',
  '#168f8f',
  '#d6589f',
  '#7f8c3b',
  '#9c5b3c',
  '#35b0d6',
  '#b59a00',
  '#878d96',
];

/** Colours that look like a warning. */
const WARM: ReadonlySet<string> = new Set(['#cf7a12', '#9c5b3c', '#b59a00']);

/**
 * A name has the same colour on every panel, as in Grafana, unless another name on the panel has it already.
 *
 * @param known The colours of the other names; this one is added.
 */
export function seriesColor(name: string, known: Map<string, string>): string {
  const color = known.get(name) ?? PALETTE[freePlace(name, new Set(known.values()))] ?? '';
  known.set(name, color);
  return color;
}

/**
 * The same on a panel where one series is a warning: a name whose colour looks like one has another colour there.
 *
 * @param onPanel The colours that the panel has already; this one is added.
 */
export function colorNextToWarning(name: string, known: Map<string, string>, onPanel: Set<string>): string {
  const usual = seriesColor(name, known);
  const color = WARM.has(usual) ? (PALETTE[freePlace(name, new Set([...WARM, ...onPanel]))] ?? usual) : usual;
  onPanel.add(color);
  return color;
}

function freePlace(name: string, taken: ReadonlySet<string>): number {
  const first = hashOf(name) % PALETTE.length;
  const places = PALETTE.map((_, offset) => (first + offset) % PALETTE.length);
  return places.find((place) => !taken.has(PALETTE[place] ?? '')) ?? first;
}

function hashOf(name: string): number {
  let hash = 7;
  for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_003;
  return hash;
}
