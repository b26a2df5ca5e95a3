/** The checks of cloudflare/pint that no other test makes, on the shipped rules. docs/dashboards.md lists all of them. */
import { readFileSync } from 'node:fs';
import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { load } from 'js-yaml';
import { expect, it } from 'vitest';
import { secondsOf } from '../dashboards/promql/duration.ts';

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly keep_firing_for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Two scrapes of deploy/prometheus/prometheus.yaml. */
const TWO_SCRAPES_S = 30;
/** Prometheus keeps its data for this long unless it is configured. */
const RETENTION_S = 15 * 86_400;

const shipped = ['recording.yaml', 'alerts.yaml'].flatMap((file) => {
  const text = readFileSync(new URL(`../../dashboards/prometheus/${file}`, import.meta.url), 'utf8');
  return (load(text) as { groups: readonly { rules: readonly Rule[] }[] }).groups.flatMap(({ rules }) => rules);
});

/** Each returns true if it has no finding. The keys are the names of the checks. */
const CHECKS = {
  'promql/rate': ({ expr }) => windowsOf(expr).every((seconds) => seconds >= TWO_SCRAPES_S),
  'promql/range_query': ({ expr }) => windowsOf(expr).every((seconds) => seconds <= RETENTION_S),
  'promql/regexp': ({ expr }) => patternsOf(expr).every((text) => /[.|*+?[(]/.test(text) && !/^\^|\$$/.test(text)),
  'promql/nan': ({ expr }) => sumsOf(expr).every((sum) => divisorsOf(sum).every(isNeverZero)),
  'promql/fragile': (rule) => hasSameElements(rule.expr) && (rule.for !== undefined || jobsOf(rule.expr).size < 2),
  'promql/performance': ({ expr, record }) =>
    shipped.every((other) => other.record === undefined || other.record === record || !expr.includes(other.expr)),
  'alerts/absent': ({ expr, ...rule }) =>
    !/\babsent(?:_over_time)?\(/.test(expr) || (secondsOf(rule.for ?? '') ?? 0) >= TWO_SCRAPES_S,
  'alerts/for': (rule) =>
    [rule.for, rule.keep_firing_for].every((time) => time === undefined || secondsOf(time) !== undefined),
  'alerts/template': ({ labels = {} }) => !/\$value|\.Value/.test(Object.values(labels).join(' ')),
  'alerts/external_labels': ({ annotations = {} }) => !/externalLabels/i.test(Object.values(annotations).join(' ')),
  'rule/duplicate': (rule) => shipped.filter((other) => identityOf(other) === identityOf(rule)).length < 2,
} satisfies Record<string, (rule: Rule) => boolean>;

it.each(Object.entries(CHECKS))('%s has no finding', (_, check: (rule: Rule) => boolean) => {
  const found = shipped.filter((rule) => !check(rule));
  expect(found.map(({ alert, record }) => alert ?? record)).toEqual([]);
});

it.each<[keyof typeof CHECKS, Rule]>([
  ['promql/rate', { record: 'a', expr: 'rate(x_total[20s])' }],
  ['promql/range_query', { record: 'a', expr: 'max_over_time(x[20d:1h])' }],
  ['promql/regexp', { record: 'a', expr: 'x{a=~"b"}' }],
  ['promql/regexp', { record: 'a', expr: 'x{a!~"^b.*"}' }],
  ['promql/nan', { record: 'a', expr: 'sum by (a) ((x or y) / z)' }],
  ['promql/fragile', { alert: 'A', expr: 'topk(3, x) > 1' }],
  ['promql/fragile', { alert: 'A', expr: 'sum(x{job="a"}) / sum(x{job="b"}) > 1' }],
  ['promql/performance', { alert: 'A', expr: `(${shipped[0]?.expr}) > 1` }],
  ['alerts/absent', { alert: 'A', expr: 'absent(up)', for: '15s' }],
  ['alerts/for', { alert: 'A', expr: 'x > 1', keep_firing_for: '0s' }],
  ['alerts/template', { alert: 'A', expr: 'x > 1', labels: { level: '{{ $value }}' } }],
  ['alerts/external_labels', { alert: 'A', expr: 'x > 1', annotations: { summary: '{{ $externalLabels.site }}' } }],
])('%s finds %j', (name, rule) => {
  expect(CHECKS[name](rule)).toBe(false);
});

function windowsOf(expr: string): readonly number[] {
  return [...expr.matchAll(/\[([^\]:]+)[\]:]/g)].map(([, window = '']) => secondsOf(window)!);
}

function patternsOf(expr: string): readonly string[] {
  const matchers = nodesOf(expr, 'UnquotedLabelMatcher').map(({ from, to }) => expr.slice(from, to));
  return matchers.flatMap((text) => /[=!]~"(.*)"$/.exec(text)?.[1] ?? []);
}

/** The sums and means. One value that is not a number makes the whole sum none. */
function sumsOf(expr: string): readonly string[] {
  const texts = nodesOf(expr, 'AggregateExpr').map(({ from, to }) => expr.slice(from, to));
  return texts.filter((text) => /^(?:sum|avg)\b/.test(text));
}

function divisorsOf(expr: string): readonly string[] {
  const divisions = nodesOf(expr, 'BinaryExpr').filter((node) => node.getChild('Div') !== null);
  return divisions.flatMap(({ lastChild }) => (lastChild === null ? [] : [expr.slice(lastChild.from, lastChild.to)]));
}

function isNeverZero(divisor: string): boolean {
  return / > 0\)?$/.test(divisor) || Number(divisor) > 0;
}

function hasSameElements(expr: string): boolean {
  return !/\b(?:topk|bottomk|limitk|limit_ratio)\b/.test(expr);
}

function jobsOf(expr: string): ReadonlySet<string> {
  return new Set([...expr.matchAll(/job="(\w+)"/g)].map(([, job = '']) => job));
}

function identityOf({ alert, record, labels, expr }: Rule): string {
  return JSON.stringify(record === undefined ? [alert, labels, expr] : [record, labels]);
}

function nodesOf(expr: string, kind: string): readonly SyntaxNode[] {
  const found: SyntaxNode[] = [];
  parser.parse(expr).iterate({ enter: ({ name, node }) => void (name === kind && found.push(node)) });
  return found;
}
