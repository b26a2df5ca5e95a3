import type { Tone } from '../../dashboards/model/panel.ts';
import { colorNextToWarning, seriesColor } from '../series-color.ts';

export interface ColorChoice {
  readonly tones?: Readonly<Record<string, Tone>>;
  /** The colours that names have already; further names are added. */
  readonly known: Map<string, string>;
}

export function colorsOf(names: readonly string[], { tones = {}, known }: ColorChoice): readonly string[] {
  const isWarned = names.some((name) => tones[name] === 'warning');
  const onPanel = new Set(names.flatMap((name) => known.get(name) ?? []));
  return names.map((name) => {
    const tone = tones[name];
    if (tone !== undefined && tone !== 'neutral') return cssColor(`--${tone}`);
    return isWarned ? colorNextToWarning(name, known, onPanel) : seriesColor(name, known);
  });
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
