import { expect, it, test } from 'vitest';
import { budgetWith, finished } from '../../tests/support/promql/finished.ts';
import { evaluateAt, evaluateOver, type EvaluationSettings } from './evaluate.ts';
import { labelsOf } from './labels.ts';
import { fitsAll } from './matcher.ts';
import type { SeriesSource } from './series-source.ts';
import { parsePromql } from './syntax/parse-promql.ts';

const SETTINGS: EvaluationSettings = {
  lookbackMs: 300_000,
  subqueryStepMs: 60_000,
  maxSamples: 10_000,
  maxSeries: 10,
  timeoutMs: 10_000,
};

/** `up` is 1, then gone at 30 s, then 2 at 60 s. */
const source: SeriesSource = {
  *select(matchers, _time, budget) {
    const labels = labelsOf([
      ['__name__', 'up'],
      ['job', 'shop'],
    ]);
    if (!(yield* fitsAll(labels, matchers, budget))) return [];
    const samples = {
      timesMs: Float64Array.of(0, 15_000, 30_000, 60_000),
      values: Float64Array.of(1, 1, NaN, 2),
      ended: Uint8Array.of(0, 0, 1, 0),
    };
    return [{ labels, samples: () => samples }];
  },
};

function valueOf(expression: string, atMs = 60_000, settings = SETTINGS): unknown {
  const result = finished(evaluateAt(expression, atMs, source, settings)).value;
  if (result.type === 'scalar') return result.value;
  return result.type === 'string' ? result.text : result.series.map(({ values }) => [...values]);
}

test.each([
  ['-2^2', -4],
  ['2^3^2', 512],
  ['2 ^ -1 * 4', 2],
  ['-1 - -1', 0],
  ['1 + 2 * 3 % 4', 3],
  ['010 + 0x10 + 08', 32],
  ['1 > bool 0 == bool 1', 1],
  ['5m', 300],
  ['"a\\n\\u00e4"', 'a\nä'],
  ['`a\\n`', 'a\\n'],
  ['up - up offset 45s', [[1]]],
  ['-up offset 45s', [[-1]]],
  ['sum(up) + time()', [[62]]],
  ['up[1m] @ 60', [[1, 1, 2]]],
  ['SUM(up{job=~"s.+"})', [[2]]],
  ['{"up"}', [[2]]],
  ['up == 2 and on (job) up', [[2]]],
])('%s is %j', (expression, expected) => {
  expect(valueOf(expression)).toEqual(expected);
});

it('takes a sample for five minutes, both ends included, unless the series ends', () => {
  expect(valueOf('up', 29_999)).toEqual([[1]]);
  expect(valueOf('up', 30_000)).toEqual([]);
  expect(valueOf('up', 60_000 + 300_000)).toEqual([[2]]);
  expect(valueOf('up', 60_001 + 300_000)).toEqual([]);
  expect(valueOf('count_over_time(up[45s])')).toEqual([[2]]);
});

it('has one value for each step', () => {
  const steps = { startMs: 0, endMs: 70_000, stepMs: 20_000 };
  const [series] = finished(evaluateOver('up', steps, source, SETTINGS)).value;
  expect([...(series?.timesMs ?? [])]).toEqual([0, 20_000, 60_000]);
  expect([...(series?.values ?? [])]).toEqual([1, 1, 2]);
});

test.each([
  ['', 'there is no expression'],
  ['up +', 'character 5: the expression ends too early'],
  ['sum(up', 'character 7: the expression ends too early'],
  ['nothing(up)', 'character 8: siphon does not have the function nothing'],
  ['holt_winters(up[5m], 1, 1)', 'siphon does not have the function holt_winters'],
  ['histogram_sum(up)', 'character 1: the function histogram_sum is not supported'],
  ['limitk(1, up)', 'character 1: the aggregation limitk is not supported'],
  ['up[5m] anchored', 'is not supported'],
  ['up + fill(0) up', 'is not supported'],
  ['rate(up)', 'character 6: rate needs a range vector here, not an instant vector'],
  ['rate(up[0s])', 'character 9: the duration must be greater than 0'],
  ['rate(up[step()])', 'is not a duration'],
  ['rate(up[5m] offset 1m offset 1m)', 'offset is set twice'],
  ['(up + up) offset 1m', 'only for a selector or a subquery'],
  ['{job=~".*"}', 'needs at least one matcher'],
  ['up{job=~"("}', 'character 9: the pattern has'],
  ['up{__name__="a"}', 'the name of the metric is set twice'],
  ['1 > 2', 'character 3: a comparison of two numbers needs bool'],
  ['1 and up', 'and is only for instant vectors'],
  ['up and on (job) group_left up', 'has no group_left'],
  ['count_values("a b", up)', 'is not the name of a label'],
  ['clamp(up, 1)', 'clamp takes 3 arguments, not 2'],
  ['"a', 'a text that does not end'],
  ['-"a"', 'not for a text'],
  [`${'('.repeat(500)}up${')'.repeat(500)}`, 'too many expressions within each other'],
  ['up + on (job) (up or label_replace(up, "a", "b", "", ""))', 'must be unique'],
])('%s is refused', (expression, problem) => {
  expect(() => valueOf(expression)).toThrow(problem);
});

it('evaluates what is written several times once', () => {
  let selections = 0;
  const counted: SeriesSource = {
    select: (...query) => {
      selections++;
      return source.select(...query);
    },
  };
  const valuesOf = (expression: string): unknown => {
    const result = finished(evaluateAt(expression, 60_000, counted, SETTINGS)).value;
    return result.type === 'vector' && result.series.map(({ values }) => [...values]);
  };
  expect(valuesOf('(up + 1) * (up + 1) / ( up  + 1) > 1 or (up+1)')).toEqual([[3]]);
  expect(selections).toBe(1);
  expect(valuesOf('up / 0 - up / -0')).toEqual([[Infinity]]);
  expect(valuesOf('up * Inf + up * NaN')).toEqual([[NaN]]);
  expect(selections).toBe(3);
});

it('has limits for each query', () => {
  const steps = { startMs: 0, endMs: 10_000_000, stepMs: 1000 };
  expect(() => finished(evaluateOver('up', steps, source, SETTINGS))).toThrow('needs more than 10000 samples');
  expect(() => finished(evaluateOver('up', { ...steps, stepMs: 1 }, source, SETTINGS))).toThrow(
    'more than 11000 steps',
  );
  expect(() => finished(evaluateOver('up', { ...steps, stepMs: 0 }, source, SETTINGS))).toThrow(
    'must be greater than 0',
  );
  expect(() => valueOf('up', 0, { ...SETTINGS, maxSeries: 0 })).toThrow('more than 0 series');
  expect(() => valueOf('sum_over_time(up[10000d:1ms])')).toThrow('samples');
  expect(() => valueOf('up', 0, { ...SETTINGS, timeoutMs: -1 })).toThrow('takes longer');
});

const LARGE = '(a{100}){90}';

test.each([
  ['powers', `2${'^2'.repeat(30_000)}`],
  ['sums', `2${'+2'.repeat(30_000)}`],
  ['sums that are just too deep', `2${'+2'.repeat(600)}`],
  ['signs', `${'-'.repeat(60_000)}2`],
  ['calls without an end', 'abs('.repeat(10_000)],
  ['calls', `${'abs('.repeat(300)}up${')'.repeat(300)}`],
  ['offsets', `up${' offset 1m'.repeat(5000)}`],
  ['subqueries', `up${'[1m:]'.repeat(10_000)}`],
  ['large patterns', `up{${Array.from({ length: 9 }, () => `a=~"${LARGE}"`).join(',')}}`],
  ['large patterns in selectors', Array.from({ length: 9 }, () => `up{a=~"${LARGE}"}`).join(' or ')],
])('refuses %s', (_name, expression) => {
  expect(() => valueOf(expression)).toThrow(/too many expressions|cannot be parsed|too large together/);
});

it('takes many operators, and brackets in a text', () => {
  expect(valueOf(`2${'+2'.repeat(400)}`)).toBe(802);
  expect(valueOf(`"${'('.repeat(1000)}" # ${'['.repeat(1000)}`)).toBe('('.repeat(1000));
});

it('lets other work run while it reads a long expression', () => {
  const matchers = 'b="c",'.repeat(5000);
  expect(finished(parsePromql(`up{${matchers}}`, budgetWith())).pauses).toBeGreaterThan(100);
});

/** Each level makes the label four times as long. */
function multiplied(levels: number): string {
  const inner = 'label_replace(vector(1), "x", "aaaaaaaaaaaaaaaa", "", "")';
  return `${'label_replace('.repeat(levels)}${inner}${', "x", "$1$1$1$1", "x", "(.*)")'.repeat(levels)}`;
}

const LONGEST = multiplied(6);

/** The label of 64 KiB again and again. */
function again(times: number, label: string): string {
  return `${'label_join('.repeat(times)}${LONGEST}${`, "${label}", "", "x")`.repeat(times)}`;
}

test.each([
  [multiplied(7), 'a label gets more than 65536 characters'],
  [multiplied(16), 'a label gets more than 65536 characters'],
  [`label_join(${LONGEST}, "y", "", "x", "x")`, 'a label gets more than 65536 characters'],
  [['a', 'b', 'c', 'd', 'e'].map((label) => again(60, label)).join(' or '), 'labels of more than 16777216'],
  [`label_replace(up, "a", "$1", "job", "${'(.*)'.repeat(101)}")`, 'more than 100 groups'],
])('bounds the labels that a query makes', (expression, problem) => {
  expect(() => valueOf(expression)).toThrow(problem);
});

it('makes labels up to the limit', () => {
  expect(valueOf(`count(${LONGEST})`)).toEqual([[1]]);
});

/** Each of these is one operation on 100,000 values. */
test.each([
  'vector(1) + 2',
  'vector(1) + vector(2)',
  'vector(1) and vector(2)',
  'vector(1) or vector(2)',
  '(vector(1) unless vector(2)) or vector(3)',
  '-vector(1)',
  'vector(time() + 1)',
  'vector(-time())',
  'timestamp(vector(1))',
  'abs(vector(1))',
  'absent(vector(1))',
  'vector(scalar(vector(1)))',
  'sum(vector(1))',
  'topk(1, vector(1))',
  'quantile(0.5, vector(1))',
  'count_values("a", vector(1))',
  'histogram_quantile(0.5, label_replace(vector(1), "le", "+Inf", "", ""))',
  'up',
  'rate(up[1m])',
])('lets other work run within %s', (expression) => {
  const query = `count_over_time((${expression})[100000s:1s])`;
  const baseline = pausesOf('count_over_time(vector(1)[100000s:1s])');
  expect(pausesOf(query) - baseline).toBeGreaterThan(20);
});

function pausesOf(expression: string): number {
  return finished(evaluateAt(expression, 60_000, source, { ...SETTINGS, maxSamples: 1e9 })).pauses;
}
