import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import type { AlertRule } from '../../src/dashboards/rules/alert-rules.ts';
import { severities, type Alert, type Severity } from '../../src/dashboards/rules/alert.ts';
import { promtoolMissing, testRules, type Expectation, type InputSeries } from '../support/promtool.ts';
import { alertCases, END, JOB_STARTS, type AlertCase } from './alert-cases.ts';

interface Group<Rule> {
  readonly name: string;
  readonly rules: readonly Rule[];
}

function groupsOf(file: string): readonly Group<unknown>[] {
  const text = readFileSync(new URL(`../../dashboards/prometheus/${file}`, import.meta.url), 'utf8');
  return (load(text) as { groups: readonly Group<unknown>[] }).groups;
}

const recordings = groupsOf('recording.yaml') as readonly Group<{ readonly record: string; readonly expr: string }>[];
const alerts = groupsOf('alerts.yaml') as readonly Group<AlertRule>[];

/** The shipped rules of one alert and what they read: all of them at once would take minutes. */
function rulesOf(name: string): readonly Group<{ readonly expr: string }>[] {
  const own = alerts.map((group) => ({ ...group, rules: group.rules.filter(({ alert }) => alert === name) }));
  const text = own.flatMap(({ rules }) => rules.map(({ expr }) => expr)).join('\n');
  const read = recordings.map((group) => ({
    ...group,
    rules: group.rules.filter(({ record }) => text.includes(record)),
  }));
  return [...read, ...own].filter(({ rules }) => rules.length > 0);
}

/** The rules of several alerts; a file has each name of a group only once. */
function groupsNamed(names: readonly string[]): readonly Group<unknown>[] {
  return names.flatMap((alert) => rulesOf(alert).map((group) => ({ ...group, name: `${group.name} ${alert}` })));
}

/** In minutes, of `30m`. */
function minutes(duration = '0m'): number {
  const [, amount, unit = 'm'] = /^(\d+)([smhd])$/.exec(duration) ?? [];
  return Number(amount) * ({ s: 1 / 60, m: 1, h: 60, d: 1440 }[unit] ?? Number.NaN);
}

function labelsOf(alert: Alert, labels: AlertCase['labels'], severity: string): string {
  const all = { alertname: alert.name, alertstate: 'firing', severity, owner: alert.owner, ...labels };
  return Object.entries(all)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    .join(', ');
}

function firing({ alert, labels }: NamedCase, raised: readonly string[], atMinute = END): Expectation {
  return {
    query: `ALERTS{alertname="${alert.name}", alertstate="firing"}`,
    atMinute,
    samples: raised.map((severity) => ({ labels: `ALERTS{${labelsOf(alert, labels, severity)}}`, value: 1 })),
  };
}

type NamedCase = (typeof alertCases)[number];

/** What is as bad as `critical` is as bad as `warning` too; Alertmanager keeps the warning back. */
function raisedAt(values: AlertCase['values'], severity: Severity): readonly string[] {
  return severities.filter(
    (one) => values[one] !== undefined && severities.indexOf(one) <= severities.indexOf(severity),
  );
}

const worstOf = ({ critical }: AlertCase['values']): Severity => (critical === undefined ? 'warning' : 'critical');

function endedAt(input: readonly InputSeries[], atMinute: number): readonly InputSeries[] {
  return input.map(({ series, values }) => ({ series, values: values.replace(/x\d+$/, `x${atMinute - 1} stale`) }));
}

describe.skipIf(promtoolMissing).each(alertCases)('$alert.name', (one) => {
  const { alert, labels, world, values, withoutSeries } = one;

  it('fires where it must and nowhere else', () => {
    const raised = severities.flatMap((severity) => {
      const value = values[severity];
      return value === undefined ? [] : [{ input: world(value), expects: [firing(one, raisedAt(values, severity))] }];
    });
    const fine = { input: world(values.fine), expects: [firing(one, [])] };
    expect(raised.length).toBeGreaterThan(0);
    expect(testRules(rulesOf(alert.name), [...raised, fine])).toBe('');
  });

  it(`${withoutSeries === 'fires' ? 'fires' : 'is silent'} when there are no series at all`, () => {
    const missing = withoutSeries === 'fires' ? ['services', 'siphon'] : [];
    const samples = missing.flatMap((job) => firing({ ...one, labels: { ...labels, job } }, ['critical']).samples);
    expect(testRules(rulesOf(alert.name), [{ input: [], expects: [{ ...firing(one, []), samples }] }])).toBe('');
  });
});

const states = alertCases.filter(({ isState, alert }) => isState && alert.keepFiringFor !== undefined);

describe.skipIf(promtoolMissing).each(states)('$alert.name', (one) => {
  const { alert, world, values } = one;

  it('outlasts a gap in the data, and ends when it stays', () => {
    const severity = worstOf(values);
    const kept = minutes(alert.keepFiringFor);
    const expects = [
      firing(one, raisedAt(values, severity), END - 1),
      firing(one, raisedAt(values, severity), END + kept - 1),
      // Averages and increases over five minutes see what has gone for as long.
      firing(one, [], END + kept + 7),
    ];
    const input = endedAt(world(values[severity] ?? Number.NaN), END);
    expect(testRules(rulesOf(alert.name), [{ input, expects }])).toBe('');
  });
});

const events = alertCases.filter(({ isState, alert }) => !isState && alert.name !== 'RunSuccessLow');

describe.skipIf(promtoolMissing).each(events)('$alert.name', (one) => {
  const { alert, labels, world, values } = one;
  const rules = rulesOf(alert.name);
  const [, window] = /\[(\d+[mhd])\]/.exec(rules.flatMap((group) => group.rules.map(({ expr }) => expr)).join()) ?? [];

  it(`is one alert, from a job that is over in minutes until ${window} later`, () => {
    const severity = worstOf(values);
    const since = JOB_STARTS + minutes(alert.for);
    const until = JOB_STARTS + minutes(window) - 1;
    const throughout: Expectation = {
      query: `count_over_time(ALERTS{alertname="${alert.name}", alertstate="firing", severity="${severity}"}[${until - since}m])`,
      atMinute: until,
      samples: [{ labels: `{${labelsOf(alert, labels, severity)}}`, value: until - since + 1 }],
    };
    const ended = firing(one, [], until + minutes(alert.keepFiringFor) + 7);
    const input = world(values[severity] ?? Number.NaN);
    expect(testRules(rules, [{ input, expects: [throughout, ended] }])).toBe('');
  });
});

describe.skipIf(promtoolMissing)('a database that stops', () => {
  it('is told before what follows from it, so that Alertmanager can keep that back', () => {
    const labels = 'receiver="db_poller", job="siphon", instance="127.0.0.1:8888"';
    const input = [
      {
        series: `siphon_db_poller_last_success_timestamp_seconds{query="postgres_health.size", ${labels}}`,
        values: '0+60x59 3540x60',
      },
      {
        series: `siphon_db_poller_errors{query="leader_election", reason="connection", ${labels}}`,
        values: '0x59 0+4x60',
      },
      { series: `siphon_db_poller_leader{${labels}}`, values: '1x59 0x60' },
    ];
    const names = ['DatabaseDown', 'PollerFailing', 'PollerWithoutLeader'];
    const expects = [62, 75].map((atMinute) => ({
      query: 'count by (alertname) (ALERTS{alertstate="firing", severity="critical"})',
      atMinute,
      samples: (atMinute === 62 ? names.slice(0, 1) : names).map((name) => ({
        labels: `{alertname="${name}"}`,
        value: 1,
      })),
    }));
    const noWarning = { query: 'ALERTS{alertstate="firing", severity="warning"}', atMinute: 62, samples: [] };
    expect(testRules(groupsNamed(names), [{ input, expects: [...expects, noWarning] }])).toBe('');
  });
});
