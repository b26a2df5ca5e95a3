import { expect, test } from 'vitest';
import { parseOpenMetrics, parsePrometheusText } from './prometheus-text.ts';

test('a page becomes families with their samples', () => {
  const text = `# HELP x Some \\\\ help\\n"quoted"
# TYPE x histogram
x_bucket{a="\\"\\n\\\\",le="1"} 2
x_bucket{a="\\"\\n\\\\",le="+Inf"} 3
x_sum{a="\\"\\n\\\\"} 1e+06
x_count{a="\\"\\n\\\\"} 3 1700000000000
# TYPE "u.v" gauge
{"u.v","l.m"="1"} NaN
`;
  expect(parsePrometheusText(text)).toEqual([
    {
      name: 'x',
      type: 'histogram',
      help: 'Some \\ help\n"quoted"',
      samples: [
        { name: 'x_bucket', labels: { a: '"\n\\', le: '1' }, value: 2 },
        { name: 'x_bucket', labels: { a: '"\n\\', le: '+Inf' }, value: 3 },
        { name: 'x_sum', labels: { a: '"\n\\' }, value: 1e6 },
        { name: 'x_count', labels: { a: '"\n\\' }, value: 3, timestamp: 1_700_000_000_000 },
      ],
    },
    { name: 'u.v', type: 'gauge', samples: [{ name: 'u.v', labels: { 'l.m': '1' }, value: NaN }] },
  ]);
});

test.each([
  ['a bad metric name', '1x 1\n'],
  ['a bad label name', 'x{1="a"} 1\n'],
  ['a second label of the same name', 'x{a="1",a="2"} 1\n'],
  ['a second sample of the same series', 'x{a="1",b="2"} 1\nx{b="2",a="1"} 1\n'],
  ['a sample outside its family', 'x 1\ny 1\nx{a="1"} 1\n'],
  [
    'a family whose samples have the name of another',
    '# TYPE x histogram\nx_count 1\n# TYPE x_count gauge\nx_count 1\n',
  ],
  ['the same the other way round', '# TYPE x_count gauge\nx_count 1\n# TYPE x histogram\n'],
  ['a histogram without le', '# TYPE x histogram\nx_bucket 1\n'],
  ['a bare sample of a histogram', '# TYPE x histogram\nx 1\n'],
  ['a type after samples', 'x 1\n# TYPE x gauge\n'],
  ['two types', '# TYPE x gauge\n# TYPE x gauge\n'],
  ['an unknown type', '# TYPE x info\n'],
  ['an unknown escape', 'x{a="\\t"} 1\n'],
  ['an unknown escape in help', '# HELP x \\"\n'],
  ['an open quote', 'x{a="1} 1\n'],
  ['a name in the labels', 'x{__name__="y"} 1\n'],
  ['a word for a number', 'x one\n'],
  ['an empty value', 'x \n'],
  ['a missing line feed', 'x 1'],
  ['a time with a fraction', 'x 1 1.5\n'],
  ['an exemplar', 'x_total 1 # {} 1\n'],
])('%s is refused', (_, text) => {
  expect(() => parsePrometheusText(text)).toThrow(/line/);
});

test('OpenMetrics has units, exemplars and an end', () => {
  const text = `# HELP x_seconds Help
# TYPE x_seconds counter
# UNIT x_seconds seconds
x_seconds_total{a="1"} 7.0 # {trace_id="ab"} 0.5 1700000000.123
x_seconds_created{a="1"} 1.7e+09
# EOF
`;
  const [family] = parseOpenMetrics(text);
  expect(family?.unit).toBe('seconds');
  expect(family?.samples[0]?.exemplar).toEqual({
    labels: { trace_id: 'ab' },
    value: 0.5,
    timestamp: 1_700_000_000.123,
  });
  expect(() => parseOpenMetrics('x 1\n')).toThrow(/EOF/);
  expect(() => parseOpenMetrics('# TYPE x counter\nx 1\n# EOF\n')).toThrow(/no sample of a counter/);
});
