/**
 * Random expressions out of a grammar of PromQL, over the invented series of a world. It leaves out where Prometheus 2.42
 * is not deterministic or has mistakes that later versions do not have; docs/promql.md names them.
 */
import { constant, constantFrom, letrec, oneof, sample, tuple, uniqueArray, type Arbitrary } from 'fast-check';

const pick = <T>(...values: readonly T[]): Arbitrary<T> => constantFrom(...values);
const text = (...parts: readonly (string | Arbitrary<unknown>)[]): Arbitrary<string> =>
  tuple(...parts.map((part) => (typeof part === 'string' ? constant(part) : part))).map((all) => all.join(''));

const duration = pick('15s', '1m', '90s', '5m', '7m30s', '20m', '1h');
const label = pick('job', 'instance', 'code', 'zone', 'route', 'version', 'le', 'missing');
const labels = uniqueArray(label, { maxLength: 3 }).map((list) => list.join(', '));
const number = pick('0', '1', '2', '-1', '0.5', '1.5', '10', '100', '1e3', 'Inf', 'NaN', '0x1f', '010', '.5');
const quantile = pick('0', '0.1', '0.5', '0.9', '0.99', '1', '-1', '2', 'NaN');

const matcher = pick(
  'job="shop"',
  'job!="shop"',
  'job=~"s.*"',
  'instance=~"a|b"',
  'instance!~"a"',
  'instance=~"[a-b]|late"',
  'code="200"',
  'code=~"[45].."',
  'code!=""',
  'zone=~"nor.+"',
  'missing=""',
  'missing!~".+"',
  'version=~"1\\\\.[0-9]"',
);
const matchers = uniqueArray(matcher, { maxLength: 2 }).map((list) => (list.length === 0 ? '' : `{${list.join(',')}}`));
const counters = pick('requests_total', 'idle_total', 'latency_count', 'latency_sum', 'latency_bucket');
const gauges = pick('temperature', 'build_info', 'odd', 'sparse');
const shift = oneof(
  { weight: 6, arbitrary: constant('') },
  { weight: 1, arbitrary: text(' offset ', pick('1m', '-1m', '10m', '17s')) },
  { weight: 1, arbitrary: text(' @ ', pick('start()', 'end()', '1800001800', '1800002000.5')) },
  { weight: 1, arbitrary: pick(' @ end() offset 5m', ' offset 5m @ 1800003000') },
);
const selector = text(oneof(counters, gauges), matchers, shift);
const counterRange = text(counters, matchers, '[', duration, ']', shift);
const gaugeRange = text(gauges, matchers, '[', duration, ']', shift);
const range = oneof(counterRange, gaugeRange);

const perRange = constantFrom(
  ...'rate increase delta irate idelta deriv changes resets avg_over_time sum_over_time count_over_time last_over_time present_over_time max_over_time min_over_time stddev_over_time stdvar_over_time absent_over_time'.split(
    ' ',
  ),
);
const perValue = constantFrom(
  ...'abs ceil floor sgn sqrt exp ln log2 log10 sin cos atan deg rad round sort sort_desc absent'.split(' '),
);
const ofTime = pick('minute', 'hour', 'day_of_week', 'day_of_month', 'day_of_year', 'days_in_month', 'month', 'year');
const aggregation = pick('sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar');
const arithmetic = pick('+', '-', '*', '/', '%', '^', 'atan2');
const comparison = pick('==', '!=', '<', '<=', '>', '>=');
const setOperator = pick('and', 'or', 'unless');
const grouping = oneof(
  { weight: 1, arbitrary: constant('') },
  { weight: 4, arbitrary: text(pick(' by ', ' without '), '(', labels, ') ') },
);
const fewLabels = text(
  pick(' by ', ' without '),
  '(',
  uniqueArray(label, { maxLength: 2 }).map((list) => list.join(', ')),
  ') ',
);
const matching = oneof(
  { weight: 3, arbitrary: constant(' ') },
  { weight: 3, arbitrary: text(pick(' on ', ' ignoring '), '(', labels, ') ') },
  {
    weight: 2,
    arbitrary: text(
      pick(' on ', ' ignoring '),
      '(',
      labels,
      ') ',
      pick('group_left', 'group_right'),
      pick(' ', '() ', '(version) ', '(zone) '),
    ),
  },
);

interface Grammar {
  readonly vector: string;
  readonly scalar: string;
}

const { vector } = letrec<Grammar>((tie) => ({
  scalar: oneof(
    { maxDepth: 3, depthIdentifier: 'scalar' },
    { weight: 6, arbitrary: number },
    { weight: 1, arbitrary: pick('time()', 'pi()') },
    { weight: 1, arbitrary: text('scalar(', tie('vector'), ')') },
    { weight: 1, arbitrary: text('(', tie('scalar'), ' ', arithmetic, ' ', tie('scalar'), ')') },
    { weight: 1, arbitrary: text('-', tie('scalar')) },
    { weight: 1, arbitrary: text(tie('scalar'), ' ', comparison, ' bool ', number) },
  ),
  vector: oneof(
    { maxDepth: 4, depthIdentifier: 'vector' },
    { weight: 4, arbitrary: selector },
    { weight: 6, arbitrary: text(perRange, '(', range, ')') },
    { weight: 3, arbitrary: text(pick('rate', 'increase', 'irate'), '(', counterRange, ')') },
    { weight: 1, arbitrary: text('quantile_over_time(', quantile, ', ', range, ')') },
    { weight: 1, arbitrary: text('predict_linear(', gauges, matchers, '[', duration, '], ', number, ')') },
    { weight: 2, arbitrary: text('histogram_quantile(', quantile, ', rate(latency_bucket[', duration, ']))') },
    {
      weight: 1,
      arbitrary: text('histogram_quantile(', quantile, ', sum by (le, job) (rate(latency_bucket[', duration, '])))'),
    },
    { weight: 1, arbitrary: text('histogram_quantile(', tie('scalar'), ', ', tie('vector'), ')') },
    { weight: 2, arbitrary: text(perValue, '(', tie('vector'), ')') },
    { weight: 1, arbitrary: text(ofTime, '()') },
    { weight: 1, arbitrary: text(ofTime, '(timestamp(', gauges, matchers, pick('', ' offset 1m', ' @ start()'), '))') },
    { weight: 5, arbitrary: text(aggregation, grouping, '(', tie('vector'), ')') },
    { weight: 1, arbitrary: text(pick('topk', 'bottomk'), grouping, '(', pick('1', '2', '3', '0'), ', temperature)') },
    { weight: 1, arbitrary: text('quantile', grouping, '(', quantile, ', ', tie('vector'), ')') },
    {
      weight: 1,
      arbitrary: text(
        'count_values',
        fewLabels,
        '("value", ',
        oneof(selector, text('floor(', tie('vector'), ')')),
        ')',
      ),
    },
    { weight: 2, arbitrary: text(tie('vector'), ' ', arithmetic, ' ', tie('scalar')) },
    { weight: 1, arbitrary: text(tie('scalar'), ' ', arithmetic, ' ', tie('vector')) },
    { weight: 2, arbitrary: text(tie('vector'), ' ', comparison, pick(' ', ' bool '), tie('scalar')) },
    { weight: 3, arbitrary: text(tie('vector'), ' ', arithmetic, matching, tie('vector')) },
    { weight: 2, arbitrary: text(tie('vector'), ' ', comparison, pick('', ' bool'), matching, tie('vector')) },
    {
      weight: 2,
      arbitrary: text(
        tie('vector'),
        ' ',
        setOperator,
        pick(' ', ' on (job) ', ' ignoring (code, zone) ', ' on () '),
        tie('vector'),
      ),
    },
    { weight: 1, arbitrary: text('(', tie('vector'), ')') },
    { weight: 1, arbitrary: text('-', tie('vector')) },
    { weight: 1, arbitrary: text('vector(', tie('scalar'), ')') },
    { weight: 1, arbitrary: text('clamp(', tie('vector'), ', ', number, ', ', number, ')') },
    { weight: 1, arbitrary: text(pick('clamp_min', 'clamp_max', 'round'), '(', tie('vector'), ', ', number, ')') },
    {
      weight: 1,
      arbitrary: text(
        'label_replace(',
        tie('vector'),
        ', "',
        label,
        '", "',
        pick('$1', '${1}x', 'fix', '', '$2$1', '$$'),
        '", "',
        label,
        '", "',
        pick('(.*)', '(.)(.*)', '([a-z]+)', 'a|b', '.*'),
        '")',
      ),
    },
    { weight: 1, arbitrary: text('label_join(', tie('vector'), ', "', label, '", "-", "job", "', label, '")') },
    {
      weight: 2,
      arbitrary: text(
        perRange,
        '(',
        tie('vector'),
        '[',
        pick('5m', '17m'),
        ':',
        pick('', '30s', '1m', '7s'),
        ']',
        pick('', ' offset 3m'),
        ')',
      ),
    },
    {
      weight: 1,
      arbitrary: text(
        pick('rate', 'max_over_time', 'avg_over_time'),
        '(',
        counters,
        matchers,
        '[',
        pick('5m', '17m'),
        ':',
        pick('30s', '1m', '7s'),
        ']',
        pick('', ' @ end()'),
        ')',
      ),
    },
  ),
}));

/** The same for the same seed. */
export function randomExpressions(count: number, seed: number): readonly string[] {
  return sample(vector, { numRuns: count, seed });
}
