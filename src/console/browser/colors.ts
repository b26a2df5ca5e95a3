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

export function colorsOf(names: readonly string[], tones: Readonly<Record<string, Tone>> = {}): readonly string[] {
  let next = 0;
  return names.map((name) => {
    const tone = tones[name];
    if (tone !== undefined && tone !== 'neutral') return cssColor(`--${tone}`);
    next += 1;
    return PALETTE[(next - 1) % PALETTE.length] ?? cssColor('--neutral');
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
