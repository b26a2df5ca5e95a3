/** The table of docs/failures.md: each failure is provoked or has a reason why not, and its alert fires in time. */
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { JOB_STARTS } from '../support/prometheus/input-series.ts';
import { promtoolMissing, testRules } from '../support/prometheus/promtool.ts';
import { alertCases } from './alert-cases.ts';
import { alertsOf, failures, failureTable } from './failures.ts';
import { notProvoked } from './faults.ts';

interface Groups {
  readonly groups: readonly { readonly name: string; readonly rules: readonly { readonly alert?: string }[] }[];
}

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const [recordings, alerts] = ['recording', 'alerts'].map(
  (name) => (load(read(`dashboards/prometheus/${name}.yaml`)) as Groups).groups,
);

it('is the table of the document, and has at least 25 rows', () => {
  expect(read('docs/failures.md')).toContain(failureTable());
  expect(failures.length).toBeGreaterThanOrEqual(25);
});

it.each(failures)('$failure: $alert is provoked by its fault, or has a reason why not', ({ alert, fault }) => {
  if (fault === undefined) expect(notProvoked).toHaveProperty(alert);
  else expect(alertsOf(fault)).toContain(alert);
});

/** Where the world of an alert begins to be wrong at another minute than 0 or that of its job. */
const BEGINS: Readonly<Record<string, number>> = { StockGone: 61 };
/** Its counter grows steadily, without a beginning. */
const STEADY = 'Deadlocks';
/** A counter needs a second scrape, and a rule the next evaluation. */
const EVALUATION_MINUTES = 2;

const timed = alertCases.filter(({ alert: { name } }) => name !== STEADY && failures.some((one) => one.alert === name));

describe.skipIf(promtoolMissing)('the time until an alert fires', () => {
  it.each(timed)('is that of the table for $alert.name', ({ alert, world, values, isState }) => {
    const begins = BEGINS[alert.name] ?? (isState ? 0 : JOB_STARTS);
    const waits = minutes(alert.for);
    const fires = `count(ALERTS{alertname="${alert.name}", alertstate="firing"})`;
    const early = waits === 0 ? [] : [{ query: fires, atMinute: begins + waits - 1, samples: [] }];
    const input = world(values.warning ?? values.critical ?? Number.NaN);
    const due = { query: fires, atMinute: begins + waits + EVALUATION_MINUTES, samples: [{ labels: '{}', value: 1 }] };
    expect(testRules(rulesOf(alert.name), [{ input, expects: [...early, due] }])).toBe('');
  });
});

function rulesOf(name: string): Groups['groups'] {
  const own = alerts!.map((group) => ({ ...group, rules: group.rules.filter(({ alert }) => alert === name) }));
  return [...recordings!, ...own.filter(({ rules }) => rules.length > 0)];
}

/** Rounds up `30s`, `5m` or `1h`. */
function minutes(duration: string): number {
  const [, count, unit = 'm'] = /^(\d+)([smh])$/.exec(duration) ?? [];
  return Math.ceil(Number(count) * ({ s: 1 / 60, m: 1, h: 60 }[unit] ?? Number.NaN));
}
