import type { Tone } from '../../dashboards/model/panel.ts';

/** Distinguishable in light and dark, also for most colour-blind readers. Contains no red or green, which have a meaning. */
const PALETTE = [
  '#3b7ddd',
  '#cf7a12',
  '#8a63d2',
  '#168f8f',
  '#d6589f',
  '#7f8c3b',
  '#6474cc',
  '#b0764a',
  '#2b93c9',
  '#878d96',
];

export interface ColorChoice {
  readonly tones?: Readonly<Record<string, Tone>>;
  /** The colours that names have already; further names are added. */
  readonly known: Map<string, string>;
}

/** A name has the same colour on every panel, as in Grafana, unless another name on the panel has it already. */
export function colorsOf(names: readonly string[], { tones = {}, known }: ColorChoice): readonly string[] {
  return names.map((name) => {
    const tone = tones[name];
    if (tone !== undefined && tone !== 'neutral') return cssColor(`--${tone}`);
    const color = known.get(name) ?? PALETTE[freePlace(name, known)] ?? cssColor('--neutral');
    known.set(name, color);
    return color;
  });
}

function freePlace(name: string, known: ReadonlyMap<string, string>): number {
  const taken = new Set(known.values());
  const first = hashOf(name) % PALETTE.length;
  const places = PALETTE.map((_, offset) => (first + offset) % PALETTE.length);
  return places.find((place) => !taken.has(PALETTE[place] ?? '')) ?? first;
}

function hashOf(name: string): number {
  let hash = 7;
  for (const letter of name) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 1_000_003;
  return hash;
}

/** The colour as `#rrggbb`, which a canvas accepts, and to which an opacity can be appended. */
export function cssColor(property: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${property})`;
  document.body.append(probe);
  const numbers = getComputedStyle(probe).color.match(/[\d.]+/g) ?? [];
  probe.remove();
  return `#${numbers
    .slice(0, 3)
    .map((part) => Math.round(Number(part)).toString(16).padStart(2, '0'))
    .join('')}`;
}
