import { dump, load } from 'js-yaml';
import { ruleFiles } from '../../../src/dashboards/rules/rule-files.ts';
import { readSettings } from '../../../src/dashboards/rules/settings.ts';
import { shipped } from '../dashboards/shipped.ts';

/** The divisor of every `for` and `keep_firing_for`. A delay is at least one scrape and at most ten seconds. */
const HURRY = 30;
const [SHORTEST_WAIT_S, LONGEST_WAIT_S] = [2, 10];

/** Every window is twelve scrapes long, so that the effect of a fault soon leaves it. */
export const WINDOW_S = 24;

/** Alerts count frequent polls as if they ran at this interval, in seconds; here at that of the demo. */
const SHORTEST_INTERVAL = { shipped: /(clamp_min\(.*?, )\d+\)/g, shortened: `$1${SHORTEST_WAIT_S})` };

interface Rule {
  readonly expr: string;
  readonly for?: string;
  readonly keep_firing_for?: string;
}

/** The shipped rules with the limits of a settings file and with shortened times. */
export function shortenedRules(settings: string): ReadonlyMap<string, string> {
  const files = ruleFiles(shipped, readSettings(settings, shipped.alerts));
  return new Map([...files].map(([name, text]) => [name, dump(shortened(load(text)))]));
}

function shortened(file: unknown): object {
  const { groups } = file as { readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[] };
  return { groups: groups.map(({ name, rules }) => ({ name, rules: rules.map(shortenedRule) })) };
}

function shortenedRule(rule: Rule): Rule {
  return {
    ...rule,
    expr: rule.expr
      .replaceAll(/\[\d+[smhdw]\]/g, `[${WINDOW_S}s]`)
      .replaceAll(/\[\d+[smhdw]:\d+[smhdw]\]/g, `[${WINDOW_S}s:${SHORTEST_WAIT_S}s]`)
      .replaceAll(/offset \d+[smhdw]/g, `offset ${WINDOW_S}s`)
      .replaceAll(SHORTEST_INTERVAL.shipped, SHORTEST_INTERVAL.shortened),
    ...(rule.for !== undefined && { for: waitOf(rule.for) }),
    ...(rule.keep_firing_for !== undefined && { keep_firing_for: waitOf(rule.keep_firing_for) }),
  };
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

function waitOf(duration: string): string {
  const [, count, unit = ''] = /^(\d+)([smhdw])$/.exec(duration) ?? [];
  const seconds = (Number(count) * (SECONDS[unit] ?? Number.NaN)) / HURRY;
  return `${Math.round(1000 * Math.min(Math.max(seconds, SHORTEST_WAIT_S), LONGEST_WAIT_S))}ms`;
}
