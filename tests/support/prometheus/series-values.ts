import type { InputSeries } from './promtool.ts';

/** One value for each point: undefined for none, and `stale` where the series ends. */
export type PointValue = number | 'stale' | undefined;

export interface SeriesValues {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly values: readonly PointValue[];
}

/** Reads the notation of `promtool test rules`. */
export function seriesValues({ series, values }: InputSeries): SeriesValues {
  const [, name = '', inner = ''] = /^([\w:]+)(?:\{(.*)\})?$/.exec(series) ?? [];
  const labels = [...inner.matchAll(/(\w+)=("(?:[^"\\]|\\.)*")/g)].map(([, label, value]): [string, string] => [
    label as string,
    JSON.parse(value as string) as string,
  ]);
  return { name, labels: Object.fromEntries(labels), values: values.split(/\s+/).flatMap(pointsOf) };
}

/** `5x2` is 5 at three points, `0+1x2` is 0, 1 and 2, and `_x2` nothing at two points. */
function pointsOf(text: string): readonly PointValue[] {
  if (text === 'stale') return ['stale'];
  const [, blankCount] = /^_(?:x(\d+))?$/.exec(text) ?? [undefined, false];
  if (blankCount !== false) return Array.from({ length: Number(blankCount ?? 1) }, () => undefined);
  const [all, start, step = '0', count = '0'] =
    /^(-?[\d.]+(?:e[-+]?\d+)?|NaN)([-+][\d.]+)?(?:x(\d+))?$/.exec(text) ?? [];
  if (all === undefined) throw new Error(`not in the notation of promtool: ${text}`);
  return Array.from({ length: Number(count) + 1 }, (_, index) => Number(start) + index * Number(step));
}
