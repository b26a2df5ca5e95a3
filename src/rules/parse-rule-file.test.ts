import { expect, it, test } from 'vitest';
import { atOnce } from '../engine/time-slice.ts';
import { parseRuleFile } from './parse-rule-file.ts';

const parsed = (text: string) => atOnce(parseRuleFile({ name: 'a.yaml', text }, 60_000));

it('reads groups with both kinds of rules', () => {
  const [group] = parsed(`
groups:
  - name: jobs
    interval: 30s
    limit: 5
    rules:
      - {record: 'job:errors:rate5m', expr: 'sum by (job) (rate(errors_total[5m] offset 1h))', labels: {tier: 1}}
      - alert: Failing
        expr: job:errors:rate5m > 1
        for: 1h30m
        keep_firing_for: 5m
        labels: {severity: page}
        annotations: {summary: 'Job {{ $labels.job }} fails'}
`);
  expect(group).toMatchObject({
    name: 'jobs',
    file: 'a.yaml',
    intervalMs: 30_000,
    limit: 5,
    rules: [
      { kind: 'recording', name: 'job:errors:rate5m', reachMs: 65 * 60_000, labels: new Map([['tier', '1']]) },
      { kind: 'alerting', name: 'Failing', reachMs: 0, holdMs: 5_400_000, keepFiringMs: 300_000 },
    ],
  });
});

const rule = (keys: string): string => `groups: [{name: g, rules: [{${keys}}]}]`;

test.each([
  ['a: [', 'a.yaml: it is not valid YAML'],
  ['[]', 'the file must be a mapping'],
  ['groups: [{name: g}, {name: g}]', 'two groups have the name g'],
  ['groups: [{name: g, query_offset: 1m}]', 'group g: query_offset is not supported here'],
  [rule('expr: up'), 'group g: alert is not set'],
  [rule('alert: A'), 'group g: alert A: expr is not set'],
  [rule('alert: A, expr: "rate(up)"'), 'alert A: expr: '],
  [rule('alert: A, expr: "up[5m]"'), 'a rule needs a number or an instant vector'],
  [rule('alert: A, expr: up, for: soon'), 'for must be a duration'],
  [rule('alert: A, expr: up, labels: {__name__: x}'), '__name__ cannot be a label'],
  [
    rule('alert: A, expr: up, annotations: {a: "{{ range . }}"}'),
    'annotation a: {{ range . }}: range is not supported',
  ],
  [rule('record: "a-b", expr: up'), 'record a-b: this is not the name of a metric'],
  [rule('record: a, expr: up, for: 1m'), 'record a: for is not supported here'],
])('%s is refused', (text, problem) => {
  expect(() => parsed(text)).toThrow(problem);
});
