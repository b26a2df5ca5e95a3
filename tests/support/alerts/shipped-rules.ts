import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import type { AlertRule } from '../../../src/dashboards/rules/alert-rules.ts';

export interface Group<Rule> {
  readonly name: string;
  readonly rules: readonly Rule[];
}

function groupsOf(file: string): readonly Group<unknown>[] {
  const text = readFileSync(new URL(`../../../dashboards/prometheus/${file}`, import.meta.url), 'utf8');
  return (load(text) as { groups: readonly Group<unknown>[] }).groups;
}

const recordings = groupsOf('recording.yaml') as readonly Group<{ readonly record: string; readonly expr: string }>[];
const alerts = groupsOf('alerts.yaml') as readonly Group<AlertRule>[];

/** The shipped rules of one alert and what they read: all rules together would take minutes. */
export function rulesOf(name: string): readonly Group<{ readonly expr: string }>[] {
  const own = alerts.map((group) => ({ ...group, rules: group.rules.filter(({ alert }) => alert === name) }));
  const text = own.flatMap(({ rules }) => rules.map(({ expr }) => expr)).join('\n');
  const read = recordings.map((group) => ({
    ...group,
    rules: group.rules.filter(({ record }) => text.includes(record)),
  }));
  return [...read, ...own].filter(({ rules }) => rules.length > 0);
}
