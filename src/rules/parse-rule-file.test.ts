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
  ['a: [', 'a.yaml:1: is not valid YAML'],
  ['[]', 'the file must be a mapping'],
  ['groups: [{name: g}, {name: g}]', 'two groups have the name g'],
  ['groups: [{name: g, query_offset: 1m}]', 'a.yaml:1: group g: query_offset is not supported here'],
  ['groups: [{name: g, intervall: 1m}]', 'intervall is not supported here (did you mean interval?); known are name,'],
  [rule('expr: up'), 'group g: alert is not set'],
  [rule('alert: A'), 'group g: alert A: expr is not set'],
  [rule('alert: A, expr: "rate(up)"'), 'alert A: expr: '],
  [
    rule('alert: A, expr: "1 + raet(up[5m])"'),
    'expr: character 9: siphon does not have the function raet (did you mean rate?)',
  ],
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

it('reports all mistakes of a file, each with its line', () => {
  const text = `
groups:
  - name: jobs
    rules:
      - alert: Late
        expr: |
          job_age_seconds >
        for: soon
      - alert: Broken
        exprr: up
        annotations:
          summary: fine
          description: '{{ $value | humanise }}'
  - name: jobs
    rules: none
`;
  expect(() => parsed(text)).toThrow(
    `a.yaml:6: group jobs: alert Late: expr: character 19: the expression ends too early
a.yaml:8: group jobs: alert Late: for must be a duration such as 90s, 5m or 1h
a.yaml:10: group jobs: alert Broken: exprr is not supported here (did you mean expr?); known are alert, expr, for, keep_firing_for, labels, annotations
a.yaml:9: group jobs: alert Broken: expr is not set
a.yaml:13: group jobs: alert Broken: annotation description: {{ $value | humanise }}: humanise is not supported (did you mean humanize?); known are `,
  );
  expect(() => parsed(text)).toThrow(`a.yaml:15: group jobs: rules must be a list
a.yaml:14: two groups have the name jobs`);
});
