import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import { expect, it } from 'vitest';
import { durationMs } from '../../../../promql/syntax/literal.ts';
import { GROUP_INTERVAL_MS, GROUP_LABELS, INHIBITIONS, routeOf } from './routing.ts';

interface ShippedRoute {
  readonly matchers: readonly string[];
  readonly group_by: readonly string[];
  readonly group_wait?: string;
  readonly group_interval: string;
  readonly repeat_interval: string;
}

const file = new URL('../../../../../deploy/alertmanager/alertmanager.yml', import.meta.url);
const { route, inhibit_rules: inhibitions } = load(readFileSync(file, 'utf8')) as {
  readonly route: ShippedRoute & { readonly routes: readonly ShippedRoute[] };
  readonly inhibit_rules: readonly {
    readonly source_matchers: readonly string[];
    readonly target_matchers: readonly string[];
    readonly equal?: readonly string[];
  }[];
};

function timesOf({ group_wait: wait = route.group_wait, repeat_interval: repeat }: ShippedRoute): object {
  return { waitMs: durationMs(wait ?? ''), repeatMs: durationMs(repeat) };
}

it('has the routes that are shipped for Alertmanager', () => {
  expect(GROUP_LABELS).toEqual(route.group_by);
  expect(GROUP_INTERVAL_MS).toBe(durationMs(route.group_interval));
  expect(routeOf(new Map([['level', 'ticket']]))).toEqual(timesOf(route));
  expect(routeOf(new Map())).toEqual(timesOf(route));
  expect(routeOf(new Map([['alertname', 'Watchdog']]))).toBeUndefined();
  const levels = route.routes.flatMap(({ matchers: [matcher = ''], ...shipped }) => {
    const level = /^level="(.*)"$/.exec(matcher)?.[1];
    return level === undefined ? [] : [{ level, times: timesOf({ matchers: [], ...shipped }) }];
  });
  expect(levels.map(({ level }) => level)).toEqual(['page', 'info']);
  for (const { level, times } of levels) expect(routeOf(new Map([['level', level]])), level).toEqual(times);
});

it('has the inhibitions that are shipped for Alertmanager', () => {
  const shipped = inhibitions.map(({ source_matchers: source, target_matchers: target, equal = [] }) => {
    const [from, to] = [source, target].map(([matcher = '']) => {
      const [, label, values = ''] = /^(\w+)=~?"(.*)"$/.exec(matcher) ?? [];
      return { label, values: values.split('|') };
    });
    return { source: from, target: to, equal };
  });
  expect(INHIBITIONS).toEqual(shipped);
});
