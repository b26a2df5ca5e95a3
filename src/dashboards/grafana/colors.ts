import {
  FieldColorBuilder,
  FieldColorModeId,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type Threshold as GrafanaThreshold,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Tone } from '../model/panel.ts';
import type { Threshold } from '../threshold.ts';

/** Names of Grafana's palette, which it adapts to light and dark. */
export const toneColors: Readonly<Record<Tone, string>> = {
  good: 'green',
  warning: 'orange',
  bad: 'red',
  neutral: 'blue',
};

export function thresholdsOf(thresholds: Threshold): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([...stepsOf(thresholds)]);
}

/** From the lowest value up: each step holds from its value on. */
export function stepsOf({ bad, warning, critical }: Threshold): readonly GrafanaThreshold[] {
  const step = (value: number | undefined, tone: Tone): GrafanaThreshold[] =>
    value === undefined ? [] : [{ value, color: toneColors[tone] }];
  if (bad === 'above') {
    return [{ value: null, color: toneColors.good }, ...step(warning, 'warning'), ...step(critical, 'bad')];
  }
  const lowest = critical === undefined ? 'warning' : 'bad';
  return [
    { value: null, color: toneColors[lowest] },
    ...step(critical, warning === undefined ? 'good' : 'warning'),
    ...step(warning, 'good'),
  ];
}

export function byThreshold(): FieldColorBuilder {
  return new FieldColorBuilder().mode(FieldColorModeId.Thresholds);
}

/** The same name has the same colour on every panel. */
export function paletteColor(): FieldColorBuilder {
  return new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName);
}

export function fixedColor(tone: Tone): FieldColorBuilder {
  return new FieldColorBuilder().mode(FieldColorModeId.Fixed).fixedColor(toneColors[tone]);
}
