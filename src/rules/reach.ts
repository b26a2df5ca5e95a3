/** The selectors of an expression, and how far back they read. */
import { METRIC_NAME } from '../promql/labels.ts';
import type { Matcher } from '../promql/matcher.ts';
import { partsOf, type Expression, type Shift, type VectorSelector } from '../promql/syntax/expression.ts';

export interface Reading {
  readonly matchers: readonly Matcher[];
  /** How much earlier than the evaluation the oldest sample may be that it reads, without the lookback. */
  readonly reachMs: number;
}

/** One for each selector. A reading at a fixed time has no end. */
export function readingsOf(expression: Expression, reachMs = 0): readonly Reading[] {
  if (expression.kind === 'selector') return [readingOf(expression, reachMs)];
  if (expression.kind === 'range') return [readingOf(expression.of, reachMs + expression.rangeMs)];
  const earlierMs = expression.kind === 'subquery' ? expression.rangeMs + shiftOf(expression) : 0;
  return partsOf(expression).flatMap((part) => readingsOf(part, reachMs + earlierMs));
}

function readingOf(selector: VectorSelector, reachMs: number): Reading {
  return { matchers: selector.matchers, reachMs: reachMs + shiftOf(selector) };
}

function shiftOf({ offsetMs, at }: Shift): number {
  return typeof at === 'number' ? Infinity : Math.max(0, offsetMs);
}

/** The name of the metric that a selector reads; undefined if it may read several. */
export function metricOf({ matchers }: Reading): string | undefined {
  return matchers.find(({ label, operator }) => label === METRIC_NAME && operator === '=')?.text;
}
