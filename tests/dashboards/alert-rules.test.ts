import { describe, expect, it } from 'vitest';
import { levelOf, severities, type Alert, type Severity } from '../../src/dashboards/rules/alert.ts';
import { always, END, growing, JOB_STARTS } from '../support/prometheus/input-series.ts';
import { promtoolMissing, testRules, type Expectation, type InputSeries } from '../support/prometheus/promtool.ts';
import { rulesOf, type Group } from '../support/alerts/shipped-rules.ts';
import { alertCases } from './alert-cases.ts';
import type { AlertCase } from './alert-worlds.ts';

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
  const all = {
    alertname: alert.name,
    alertstate: 'firing',
    severity,
    ...levelLabel(alert, severity),
    owner: alert.owner,
    ...labels,
  };
  return Object.entries(all)
    .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
    .join(', ');
}

function levelLabel(alert: Alert, severity: string): { readonly level?: string } {
  const known = severities.find((one) => one === severity);
  return known === undefined ? {} : { level: levelOf(alert, known) };
}

function firing({ alert, labels }: NamedCase, raised: readonly string[], atMinute = END): Expectation {
  return {
    query: `ALERTS{alertname="${alert.name}", alertstate="firing"}`,
    atMinute,
    samples: raised.map((severity) => ({ labels: `ALERTS{${labelsOf(alert, labels, severity)}}`, value: 1 })),
  };
}

type NamedCase = (typeof alertCases)[number];

/** A value beyond `critical` is also beyond `warning`; Alertmanager inhibits the warning. */
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

/** The same of a second database, polled by a second sidecar. */
function ofSecond({ series, values }: InputSeries): InputSeries {
  return { series: series.replace(/(instance|receiver)="([^"]*)"/g, '$1="second $2"'), values };
}

it.skipIf(promtoolMissing).each(alertCases)(
  '$alert.name fires next to a second database',
  ({ alert, world, values }) => {
    const input = world(values[worstOf(values)] ?? Number.NaN);
    const query = `group(ALERTS{alertname="${alert.name}", alertstate="firing"})`;
    const expects = [{ query, atMinute: END, samples: [{ labels: '{}', value: 1 }] }];
    // An expression that matches many to many is an error of the rule.
    expect(testRules(rulesOf(alert.name), [{ input: [...input, ...input.map(ofSecond)], expects }])).toBe('');
  },
);

describe.skipIf(promtoolMissing)('no ticket is written for', () => {
  it.each([
    { what: 'a discount on 40 of 300 variants', name: 'PriceSpikes', value: 40 / 300 },
    { what: 'a backup of three quarters of an hour', name: 'LongTransaction', value: 45 * 60 },
    { what: 'two odd products of a hundred, in each run', name: 'ValidationErrors', value: 0.02 },
  ])('$what', ({ name, value }) => {
    const one = alertCases.find(({ alert }) => alert.name === name)!;
    const expects = [{ query: `ALERTS{alertname="${name}", level!="info"}`, atMinute: END, samples: [] }];
    expect(testRules(rulesOf(name), [{ input: one.world(value), expects }])).toBe('');
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

/** Counters of the database, which do not begin with a job. */
const counted = new Set(['RunSuccessLow', 'Deadlocks', 'RollbacksHigh', 'CacheHitsLow', 'ChecksumFailures']);
const events = alertCases.filter(({ isState, alert }) => !isState && !counted.has(alert.name));

describe.skipIf(promtoolMissing).each(events)('$alert.name', (one) => {
  const { alert, labels, world, values } = one;
  const rules = rulesOf(alert.name);
  const [, window] =
    /\[(\d+[mhd])\](?! offset)/.exec(rules.flatMap((group) => group.rules.map(({ expr }) => expr)).join()) ?? [];

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

/** The same world for a Prometheus that began when the job did, which had been running for long by then. */
function seenLate({ series, values }: InputSeries): InputSeries {
  if (series.startsWith('service_start_timestamp_seconds'))
    return { series, values: values.replace(/ \d+x/, ' -90000x') };
  if (series.startsWith('otelcol_process_uptime')) return { series, values: `_x${JOB_STARTS} 90000+60x5 stale` };
  return { series, values: values.replace(/^_x(\d+) 0 /, '_x$1 _ ') };
}

const ofCounters = events.filter(({ alert }) => /unless last_over_time/.test(JSON.stringify(rulesOf(alert.name))));

it.skipIf(promtoolMissing).each(ofCounters)(
  '$alert.name is silent about what was counted before there was data',
  ({ alert, world, values }) => {
    const input = world(values[worstOf(values)] ?? Number.NaN).map(seenLate);
    const query = `last_over_time(ALERTS{alertname="${alert.name}", alertstate="firing"}[1d])`;
    expect(testRules(rulesOf(alert.name), [{ input, expects: [{ query, atMinute: END, samples: [] }] }])).toBe('');
  },
);

it.skipIf(promtoolMissing)('a subscription that starts and fails again and again is reported', () => {
  const labels = { instance: 'db_poller', subscription: 'orders' };
  const input = [
    always('database_subscription_running', labels, 1),
    growing('database_subscription_errors_total', { phase: 'apply', ...labels }, 12),
  ];
  const query = 'group by (subscription) (ALERTS{alertname="SubscriptionFails", alertstate="firing"})';
  const expects = [{ query, atMinute: 20, samples: [{ labels: '{subscription="orders"}', value: 1 }] }];
  expect(testRules(rulesOf('SubscriptionFails'), [{ input, expects }])).toBe('');
});

/** Since minute 60 something is otherwise; before that all of them are well. */
interface PolledBy {
  readonly instance: string;
  readonly leads: string;
  /** Time since a query last succeeded. */
  readonly queried: string;
  /** Time since the last success of the leader election. */
  readonly elected: string;
  /** Polls that have failed, by reason. */
  readonly failed: Readonly<Record<string, string>>;
}

const ALL_ALONG = '0x120';
const UNTIL_59 = '0x59 60+60x60';

const leader: PolledBy = {
  instance: 'a',
  leads: '1x120',
  queried: ALL_ALONG,
  elected: ALL_ALONG,
  failed: { connection: '0x120' },
};
const withoutDatabase: PolledBy = {
  ...leader,
  leads: '1x59 0x60',
  queried: UNTIL_59,
  elected: UNTIL_59,
  failed: { connection: '0x59 0+4x60' },
};
const standby: PolledBy = { ...leader, instance: 'b', leads: '0x120', queried: '_x120' };

function polledBy(sidecars: readonly PolledBy[]): readonly InputSeries[] {
  return sidecars.flatMap(({ instance, leads, queried, elected, failed }) => {
    const labels = `receiver="db_poller", job="siphon", instance="${instance}"`;
    const name = 'siphon_db_poller_success_age_seconds';
    const interval = 'siphon_db_poller_query_interval_seconds';
    return [
      { series: `siphon_db_poller_leader{${labels}}`, values: leads },
      { series: `${name}{query="postgres_health.size", ${labels}}`, values: queried },
      { series: `${name}{query="leader_election", ${labels}}`, values: elected },
      ...['postgres_health.size', 'leader_election'].map((query) => ({
        series: `${interval}{query="${query}", ${labels}}`,
        values: '15x120',
      })),
      ...Object.entries(failed).map(([reason, values]) => ({
        series: `siphon_db_poller_errors{query="leader_election", reason="${reason}", ${labels}}`,
        values,
      })),
    ];
  });
}

function named(atMinute: number, names: readonly string[]): Expectation {
  return {
    query: 'group by (alertname) (ALERTS{alertstate="firing"})',
    atMinute,
    samples: names.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
  };
}

const aboutPolling = ['DatabaseDown', 'PollerFailing', 'PollerWithoutLeader'];

describe.skipIf(promtoolMissing)('of sidecars that poll a database', () => {
  it.each<{ what: string; sidecars: readonly PolledBy[]; first?: string; later?: readonly string[] }>([
    {
      what: 'the only one has lost it: the database, and then who follows from it',
      sidecars: [withoutDatabase],
      first: 'DatabaseDown',
      later: ['DatabaseDown', 'PollerWithoutLeader'],
    },
    {
      what: 'all have lost it: the same',
      sidecars: [withoutDatabase, { ...withoutDatabase, instance: 'b', leads: '0x120', queried: '_x120' }],
      first: 'DatabaseDown',
      later: ['DatabaseDown', 'PollerWithoutLeader'],
    },
    {
      what: 'the only one, which has no election, has lost it: the database, and then its queries',
      sidecars: [{ ...withoutDatabase, leads: '1x120', elected: '_x120' }],
      first: 'DatabaseDown',
      later: ['DatabaseDown', 'PollerFailing'],
    },
    {
      what: 'the leader gets no answer to any query, though it has the lead: the database',
      sidecars: [{ ...withoutDatabase, leads: '1x120', elected: ALL_ALONG }, standby],
      first: 'DatabaseDown',
      later: ['DatabaseDown', 'PollerFailing'],
    },
    {
      what: 'an unscraped sidecar has become the leader: no scraped one leads',
      sidecars: [{ ...leader, leads: '1x59 0x60', queried: UNTIL_59, failed: { connection: '0x59 1x60' } }],
      later: ['PollerWithoutLeader'],
    },
    {
      what: 'one that is not scraped leads since the database was away for a minute: the same',
      sidecars: [
        {
          ...leader,
          leads: '1x59 0x60',
          queried: UNTIL_59,
          elected: '0x59 60 0x59',
          failed: { connection: '0x59 5 9x59' },
        },
      ],
      later: ['PollerWithoutLeader'],
    },
    {
      what: 'one that is not scraped leads since the other started again, whose preparations fail: the same',
      sidecars: [
        {
          ...leader,
          leads: '1x58 stale 0x60',
          queried: '0x58 stale',
          elected: '0x58 stale 0x60',
          failed: { permission: '_x59 0+4x60' },
        },
      ],
      later: ['PollerWithoutLeader'],
    },
    {
      what: 'the only sidecar finds a pooler that holds no locks: no leader',
      sidecars: [{ ...standby, leads: '_x59 0x60', elected: '_x120', failed: { pooler: '_x59 0+4x60' } }],
      later: ['PollerWithoutLeader'],
    },
    {
      what: 'one has handed the lead to another that is scraped: nothing',
      sidecars: [
        { ...leader, leads: '1x59 0x60', queried: UNTIL_59, failed: { connection: '0x59 1x60' } },
        { ...standby, leads: '0x59 1x60', queried: '_x60 0x60' },
      ],
    },
    {
      what: 'one that stands by does not reach it: nothing',
      sidecars: [leader, { ...standby, elected: UNTIL_59, failed: { connection: '0x59 0+4x60' } }],
    },
    {
      what: 'the only one is away, and one of its queries failed before: nothing, since nothing is known',
      sidecars: [
        {
          ...leader,
          leads: '1x59 stale',
          queried: '0x59 stale',
          elected: '0x59 stale',
          failed: { permission: '0+1x59 stale' },
        },
      ],
    },
  ])('$what', ({ sidecars, first, later = [] }) => {
    const input = polledBy(sidecars);
    const early = first === undefined ? [] : [first];
    const ever = {
      ...named(119, [...later]),
      query: 'group by (alertname) (last_over_time(ALERTS{alertstate="firing"}[1h]))',
    };
    expect(
      testRules(groupsNamed(aboutPolling), [
        { input, expects: [named(59, []), named(62, early), named(75, later), ever] },
      ]),
    ).toBe('');
  });
});

describe.skipIf(promtoolMissing)('of a database that is polled once an hour', () => {
  const own = `receiver="db_poller", query="postgres_health.size", job="siphon", instance="a"`;
  /** The database is away from the second hour on, and each round is repeated after an hour at the latest. */
  const input: readonly InputSeries[] = [
    { series: `siphon_db_poller_leader{${own}}`, values: '1x600' },
    { series: `siphon_db_poller_query_interval_seconds{${own}}`, values: '3600x600' },
    { series: `siphon_db_poller_success_age_seconds{${own}}`, values: '0+60x59 0+60x540' },
    {
      series: `siphon_db_poller_errors{reason="connection", ${own}}`,
      values: `0x119 ${Array.from({ length: 8 }, (_, hour) => `${10 + hour}x59`).join(' ')}`,
    },
  ];
  const raised = 'ALERTS{alertname="DatabaseDown", alertstate="firing"}';

  it('one alert, which does not end between two attempts', () => {
    const firstMinute = 60 + 180 + 1;
    const throughout = `count_over_time(${raised}[${600 - firstMinute}m])`;
    const labels =
      '{alertname="DatabaseDown", alertstate="firing", level="page", owner="database", receiver="db_poller", severity="critical"}';
    expect(
      testRules(rulesOf('DatabaseDown'), [
        {
          input,
          expects: [
            { query: raised, atMinute: 239, samples: [] },
            { query: throughout, atMinute: 600, samples: [{ labels, value: 600 - firstMinute + 1 }] },
          ],
        },
      ]),
    ).toBe('');
  });
});

/** The ages of a query that is answered every five minutes. */
function punctual(polls: number): string {
  return Array.from({ length: polls }, () => '0+60x4').join(' ');
}

/** A query that is polled every five minutes, and how often it waited for a lock in vain. */
function everyFiveMinutes(query: string, ages: string, lockTimeouts: string): readonly InputSeries[] {
  const labels = `receiver="db_poller", query="${query}", job="siphon", instance="a"`;
  return [
    { series: `siphon_db_poller_query_interval_seconds{${labels}}`, values: '300x120' },
    { series: `siphon_db_poller_success_age_seconds{${labels}}`, values: ages },
    { series: `siphon_db_poller_errors{reason="lock_timeout", ${labels}}`, values: lockTimeouts },
  ];
}

describe.skipIf(promtoolMissing)('of a database that is polled every five minutes', () => {
  it('no alert, while one query waits for a lock in vain', () => {
    const input: readonly InputSeries[] = [
      { series: 'siphon_db_poller_leader{receiver="db_poller", job="siphon", instance="a"}', values: '1x120' },
      ...everyFiveMinutes('postgres_health.activity', punctual(24), '0x120'),
      // The poll of minute 60 fails, that of minute 65 succeeds.
      ...everyFiveMinutes('scrape_pipeline.prices', `${punctual(11)} 0+60x9 ${punctual(11)}`, '0x59 1x60'),
    ];
    const ever = {
      ...named(119, []),
      query: 'group by (alertname) (last_over_time(ALERTS{alertstate="firing"}[2h]))',
    };
    expect(testRules(groupsNamed(aboutPolling), [{ input, expects: [ever] }])).toBe('');
  });
});
