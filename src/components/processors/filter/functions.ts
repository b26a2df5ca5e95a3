import type { AnyValue, KeyValueMap } from '../../../engine/otlp/any-value.ts';
import { readAttributes } from '../../../engine/otlp/items.ts';
import { toJsonValue } from '../../../engine/otlp/json-values.ts';
import { fieldTags } from '../../../engine/otlp/schema.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';
import { TextPatterns } from '../../../pattern/text-patterns.ts';
import type { Steps } from '../../../pattern/work.ts';
import type { Test } from './condition.ts';
import { parentSpanId, type Getter } from './paths.ts';

/** `IsMatch(value, "pattern")`: true if the pattern fits a part of the value as a text. */
export function isMatch(value: Getter, source: string): Test {
  const patterns = new TextPatterns([source], 0);
  return function* test(subject, work) {
    const text = textOf(value(subject));
    return text !== undefined && (yield* patterns.fit(text, work));
  };
}

function textOf(value: AnyValue): string | undefined {
  if (value === null) return undefined;
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return typeof value === 'object' ? JSON.stringify(toJsonValue(value)) : String(value);
}

const METRIC = fieldTags('Metric');
/** The same in the data of each type. */
const POINT = fieldTags('Gauge').data_points;
const DATA_TYPES = new Map([
  [METRIC.gauge, 'NumberDataPoint'],
  [METRIC.sum, 'NumberDataPoint'],
  [METRIC.histogram, 'HistogramDataPoint'],
  [METRIC.exponential_histogram, 'ExponentialHistogramDataPoint'],
  [METRIC.summary, 'SummaryDataPoint'],
] as const);
const STEP_POINTS = 256;

/**
 * `HasAttrKeyOnDatapoint("key")` and `HasAttrOnDatapoint("key", "value")`: true if a point of the metric has it.
 *
 * @param expected undefined for any value.
 */
export function hasPointWith(key: string, expected: string | undefined): Test {
  return ({ item: { metric } }) => metric !== undefined && hasPoint(metric, key, expected);
}

function* hasPoint(metric: Uint8Array, key: string, expected: string | undefined): Steps<boolean> {
  let points = 0;
  for (const reader = new WireReader(metric); !reader.done;) {
    const tag = reader.tag();
    const type = DATA_TYPES.get(tag);
    if (type === undefined) {
      reader.skip(tag);
      continue;
    }
    for (const data = reader.message(); !data.done;) {
      const field = data.tag();
      if (field !== POINT) data.skip(field);
      else if (hasAttribute(readAttributes(type, data.message()), { key, expected })) return true;
      if (++points % STEP_POINTS === 0) yield;
    }
  }
  return false;
}

function hasAttribute(
  attributes: KeyValueMap,
  { key, expected }: { readonly key: string; readonly expected: string | undefined },
): boolean {
  const value = attributes.get(key);
  // As in the stock Collector, a value of another type is compared as an empty text.
  return value !== undefined && (expected === undefined || (typeof value === 'string' ? value : '') === expected);
}

/** `IsRootSpan()` */
export const isRootSpan: Test = (subject) => parentSpanId(subject) === '';
