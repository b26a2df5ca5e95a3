/** Checks the shipped rules without a Prometheus. */
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { selectorsOf } from '../dashboards/promql/node.ts';
import type { Panel } from '../dashboards/model/panel.ts';
import type { Threshold } from '../dashboards/threshold.ts';
import type { AlertRule } from '../dashboards/rules/alert-rules.ts';
import { checkExpression, type CheckedExpression } from '../dashboards/promql/check-expression.ts';
import { shipped } from '../../tests/support/dashboards/shipped.ts';
import { packMetrics } from './index.ts';

const { alerts, dashboards } = shipped;

interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

function rulesOf(file: string): readonly unknown[] {
  const text = readFileSync(new URL(`../../dashboards/prometheus/${file}`, import.meta.url), 'utf8');
  const { groups } = load(text) as { groups: readonly { rules: readonly unknown[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

const recordings = rulesOf('recording.yaml') as readonly RecordingRule[];
const recorded = new Map(
  recordings.map(({ record, expr }) => [record, checkExpression(expr, { metrics: packMetrics })]),
);
const rules = (rulesOf('alerts.yaml') as readonly AlertRule[]).map((rule) => ({
  rule,
  name: `${rule.alert} ${rule.labels['severity']}`,
}));
const checkText = (expr: string): CheckedExpression => checkExpression(expr, { metrics: packMetrics, recorded });
const check = (rule: AlertRule): CheckedExpression => checkText(rule.expr);

function thresholdsOf(panel: Panel | undefined): Threshold | undefined {
  return panel !== undefined && 'thresholds' in panel ? panel.thresholds : undefined;
}

/** Alerts that fire because something is missing; they compare nothing. */
const ABOUT_NOTHING = new Set(['SidecarNotScraped', 'Watchdog']);

describe('a recording rule', () => {
  it.each(recordings)('$record uses only existing metrics', ({ expr }) => {
    expect(checkText(expr).problems).toEqual([]);
  });

  it.each(recordings)('$record is named after the labels that it has', ({ record, expr }) => {
    const [labels] = record.split(':');
    expect([...(checkText(expr).labels ?? [])].join('_')).toBe(labels);
  });

  it.each(recordings)('$record is read by an alert', ({ record }) => {
    expect(rules.some(({ rule }) => rule.expr.includes(record))).toBe(true);
  });
});

describe.each(rules)('$name', ({ rule }) => {
  const { annotations } = rule;

  it('uses only existing metrics', () => {
    expect(check(rule).problems).toEqual([]);
  });

  it('compares', () => {
    expect(check(rule).hasComparison).toBe(!ABOUT_NOTHING.has(rule.alert));
  });

  it('has a severity, a level, an owner, texts and links', () => {
    expect(rule.labels).toMatchObject({
      severity: expect.stringMatching(/^(warning|critical|none)$/),
      ...(rule.alert !== 'Watchdog' && { level: expect.stringMatching(/^(page|ticket|info)$/) }),
      owner: expect.stringMatching(/^(pipeline|service|database|sidecar)$/),
    });
    expect(annotations['summary']).toMatch(/^\S.{5,79}$/);
    expect(annotations['description']).toMatch(/^\S.{20,}\.$/);
    expect(annotations['runbook_url']).toMatch(new RegExp(`^https://.+/${rule.alert}\\.md$`));
    expect(annotations['sentry_url']).toMatch(/^https:/);
    if (rule.alert !== 'Watchdog') expect(annotations['dashboard_url']).toMatch(/\/d\/siphon-\w+\?.*viewPanel=\d+$/);
  });

  it('names only labels that its expression leaves', () => {
    const { labels = new Set() } = check(rule);
    const texts = [...Object.values(annotations), ...Object.values(rule.labels)].join(' ');
    const used = [...texts.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label ?? '');
    expect(used.filter((label) => !labels.has(label))).toEqual([]);
  });

  it('shows the value, unless it only reports existence', () => {
    const alert = alerts.find(({ name }) => name === rule.alert);
    const isCounted = alert !== undefined && 'threshold' in alert.raisedBy;
    const isOneOrNothing = ['SidecarDown', 'PollerWithoutLeader'].includes(rule.alert);
    if (isCounted && !isOneOrNothing) expect(annotations['description']).toContain('{{ $value');
  });

  it('leads to a panel that asks for one of its metrics, and to variables that the dashboard has', () => {
    const url = annotations['dashboard_url'];
    if (url === undefined) return;
    const alert = alerts.find(({ name }) => name === rule.alert);
    const dashboard = dashboards.find(({ uid }) => uid === alert?.panel?.dashboard);
    const panel = dashboard?.rows.flatMap(({ panels }) => panels).find(({ title }) => title === alert?.panel?.title);
    const shown = panel?.queries.flatMap(({ expression }) => selectorsOf(expression.node)).map(({ name }) => name);
    const asked = alert === undefined ? [] : selectorsOf(alert.measured.node).map(({ name }) => name);
    expect(asked.some((metric) => shown?.includes(metric))).toBe(true);
    const variables = [...url.matchAll(/var-(\w+)=/g)].map(([, variable]) => variable);
    const known = dashboard?.variables.map(({ name }) => name) ?? [];
    expect(variables.filter((variable) => !known.includes(variable ?? ''))).toEqual([]);
  });
});

describe('the alerts', () => {
  it('lead to panels with their own limits', () => {
    const others = alerts.flatMap(({ name, panel: link, measured, raisedBy }) => {
      if (!('threshold' in raisedBy)) return [];
      const [panel] = dashboards
        .filter(({ uid }) => uid === link?.dashboard)
        .flatMap(({ rows }) => rows.flatMap(({ panels }) => panels.filter(({ title }) => title === link?.title)));
      const limits = panel?.form === 'table' ? panel.queries.map((column) => column.thresholds) : [thresholdsOf(panel)];
      const ofUnit = limits.filter((one) => one !== undefined && one.unit === measured.unit);
      return ofUnit.length === 0 || ofUnit.includes(raisedBy.threshold) ? [] : [`${name}: ${panel?.title}`];
    });
    expect(others).toEqual([]);
  });

  it('have a rule for each number of their threshold, on the side that is bad', () => {
    for (const { name, raisedBy } of alerts) {
      const own = rules.map(({ rule }) => rule).filter((rule) => rule.alert === name);
      if (!('threshold' in raisedBy)) {
        expect(own.map(({ labels }) => labels['severity'])).toEqual([raisedBy.severity]);
        continue;
      }
      const { bad, warning, critical } = raisedBy.threshold;
      const operator = bad === 'above' ? '>=' : '<';
      const levels = Object.entries({ warning, critical }).filter(([, limit]) => limit !== undefined);
      expect(own.map(({ labels }) => labels['severity'])).toEqual(levels.map(([severity]) => severity));
      for (const [index, [, limit]] of levels.entries()) expect(own[index]?.expr).toContain(`${operator} ${limit}`);
    }
  });

  it('explain what happens without their series', () => {
    for (const { name, whenMissing } of alerts) expect(whenMissing, name).toMatch(/^(Silent|This is|It needs).{20,}/);
  });

  it('outlast a scrape that failed, unless they look back far enough', () => {
    for (const { rule } of rules.filter(({ rule: { alert } }) => !ABOUT_NOTHING.has(alert))) {
      const looksBack = /count1d/.test(rule.expr);
      expect(rule.keep_firing_for !== undefined || looksBack, rule.alert).toBe(true);
    }
  });
});
