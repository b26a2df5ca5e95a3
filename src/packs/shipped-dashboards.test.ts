/** Checks the shipped dashboards without a Prometheus. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { MetricSource } from '../metrics/metric.ts';
import { generatedFiles } from './generate/generated-files.ts';
import { checkExpression, type CheckedExpression } from '../dashboards/promql/check-expression.ts';
import { COUNTING_SINCE } from '../dashboards/promql/first-value.ts';
import { eachPanel } from '../../tests/support/dashboards/panel-data.ts';
import { packMetrics, type MetricName } from './index.ts';

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly datasource: { readonly uid: string };
  readonly instant: boolean;
  readonly exemplar: boolean;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly Target[];
  readonly fieldConfig: {
    readonly defaults: { readonly unit?: string; readonly noValue?: string };
    readonly overrides: readonly {
      readonly matcher: { readonly options: string };
      readonly properties: readonly { readonly id: string; readonly value: unknown }[];
    }[];
  };
  readonly options?: { readonly legend?: { readonly calcs: readonly string[] } };
  readonly repeat?: string;
  readonly links?: readonly { readonly url: string }[];
}

interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query: string;
  readonly refresh?: number;
  readonly allValue?: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly editable: boolean;
  readonly refresh: string;
  readonly schemaVersion: number;
  readonly time: { readonly from: string; readonly to: string };
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
  readonly links: readonly { readonly url: string; readonly includeVars: boolean; readonly keepTime: boolean }[];
}

function check(expression: string): CheckedExpression {
  return checkExpression(expression, { metrics: packMetrics });
}

const folder = new URL('../../dashboards/grafana/', import.meta.url);

const dashboards = readdirSync(folder)
  .toSorted()
  .map((file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Dashboard);
const drawn = dashboards.flatMap((dashboard) =>
  dashboard.panels.filter(({ type }) => type !== 'row').map((panel) => ({ dashboard, panel })),
);
const allTargets = drawn.flatMap(({ dashboard, panel }) =>
  (panel.targets ?? []).map((target) => ({ dashboard, panel, target })),
);
/** Without those that are only for exemplars. */
const targets = allTargets.filter(({ target }) => target.refId !== 'Traces');

/** Graphs of continuous work. */
const ONGOING = new Set(['Time in garbage collection']);

const CORE_PANELS = ['timeseries', 'stat', 'bargauge', 'table', 'row'];

/** The labels by which a dashboard chooses among the series of each source. */
const REQUIRED: Readonly<Record<MetricSource, readonly string[]>> = {
  sdk: ['job', 'instance'],
  runtime: ['job', 'instance'],
  poller: ['instance'],
  sidecar: ['instance'],
  prometheus: ['job'],
};

/** The units of Grafana that may show a unit of a metric. */
function shownAs(unit: string | undefined, type: string): string {
  if (unit !== undefined && type !== 'timeseries' && SPOKEN[unit] !== undefined) return SPOKEN[unit];
  const known: Record<string, string> = {
    s: 's',
    By: 'bytes',
    'By/s': 'Bps',
    '%': 'percent',
    '1': 'percentunit',
    '{fraction}': 'percentunit',
  };
  return known[unit ?? ''] ?? (unit?.endsWith('/s') === true ? 'cps' : 'short');
}

/** Shown with their name; the axis of a graph has it. */
const SPOKEN: Readonly<Record<string, string>> = {
  '{score}': 'count:points',
  '{transaction}': 'count:transactions',
  '{multixact}': 'count:multixacts',
};

function whereIs({ dashboard, panel }: { readonly dashboard: Dashboard; readonly panel: Panel }): string {
  return `${dashboard.title}: ${panel.title}`;
}

function describedOn(title: string): string {
  return drawn.find(({ panel }) => panel.title === title)?.panel.description ?? '';
}

/** The largest possible value of a unit. */
const ENDS: Readonly<Record<string, number>> = {
  '1': 1,
  '%': 100,
  '{score}': 100,
  '{transaction}': 2 ** 31,
  '{multixact}': 2 ** 31,
};

describe('every expression', () => {
  it('has the unit in which its panel or column shows it', () => {
    const found = targets.flatMap((one) => {
      const { defaults, overrides } = one.panel.fieldConfig;
      const column = overrides.find(({ matcher }) => matcher.options === one.target.legendFormat);
      const override = column?.properties.find(({ id }) => id === 'unit')?.value;
      const shown = one.panel.type === 'table' ? override : defaults.unit;
      const unit = shownAs(check(one.target.expr).unit, one.panel.type);
      return shown === unit ? [] : [{ where: whereIs(one), what: `${String(shown)}, not ${unit}` }];
    });
    expect(found).toEqual([]);
  });

  it('is narrowed by the variables of its dashboard', () => {
    const found = targets.flatMap((one) =>
      check(one.target.expr).selectors.flatMap(({ metric, matchers }) => {
        // A value counts from its first scrape only if every sidecar has begun to count lately.
        if (metric === COUNTING_SINCE.name) return [];
        const required = REQUIRED[packMetrics[metric as MetricName].source];
        const missing = required.filter((label) => !(label in matchers));
        return missing.map((label) => ({ where: whereIs(one), what: `${String(metric)} without ${label}` }));
      }),
    );
    expect(found).toEqual([]);
  });

  it('looks back from each point of a graph to the one before, and from now over the time range', () => {
    const found = targets.flatMap((one) => {
      const windows = [...one.target.expr.matchAll(/\[([^\]]+)\](?! offset)/g)].map(([, window]) => String(window));
      const expected = one.target.instant ? ['$__range'] : ['$__interval', '$__rate_interval'];
      return windows
        .filter((window) => !expected.includes(window))
        .map((window) => ({ where: whereIs(one), what: window }));
    });
    expect(found).toEqual([]);
  });

  it('shows a process that ends before its second scrape', () => {
    const found = targets.flatMap((one) => {
      const { selectors } = check(one.target.expr);
      const ofServices = selectors.filter(({ metric }) => {
        const { kind, source } = packMetrics[metric as MetricName];
        return kind !== 'gauge' && (source === 'sdk' || source === 'runtime');
      });
      const isRate = ofServices.every(({ series }) => one.target.expr.includes(`rate(${series}`));
      const countsFirst = /last_over_time\([^()]*\[\$__(?:range|interval)\]\)/.test(one.target.expr);
      return ofServices.length === 0 || countsFirst || ONGOING.has(one.panel.title) === isRate ? [] : [whereIs(one)];
    });
    expect(found).toEqual([]);
  });

  it('has bars that end at the limit of their value, or above the critical limit', () => {
    const ends = eachPanel.flatMap(({ panel }) => {
      if (panel.form !== 'bars' || panel.thresholds === undefined) return [];
      const { unit, warning, critical } = panel.thresholds;
      const end = ENDS[unit] ?? 1.5 * (critical ?? warning ?? Number.NaN);
      return panel.max === end ? [] : [{ title: panel.title, max: panel.max, end }];
    });
    expect(ends).toEqual([]);
  });

  it('has one series for each name in its legend, also after a restart with another address', () => {
    const found = targets.flatMap((one) => {
      if (one.panel.type === 'table') return [];
      const named = new Set(Array.from(one.target.legendFormat.matchAll(/\{\{(\w+)\}\}/g), ([, label]) => label));
      const more = [...(check(one.target.expr).labels ?? ['all of the scrape'])].filter((label) => !named.has(label));
      return more.length === 0 || one.panel.type === 'histogram' ? [] : [{ where: whereIs(one), what: more.join() }];
    });
    expect(found).toEqual([]);
  });

  it('has the total of bars in the legend, and the last value of lines', () => {
    const calcs = new Map(drawn.map(({ panel }) => [panel.title, panel.options?.legend?.calcs]));
    expect(calcs.get('Runs by status')).toEqual(['sum', 'max']);
    expect(calcs.get('Latency of the shops')).toEqual(['lastNotNull', 'max']);
  });

  it('is not praised for what is switched off', () => {
    expect(describedOn('Archiving fails')).toContain('Empty is normal: archive_mode is off.');
    expect(describedOn('Lag of standbys')).toContain('Empty is normal: no standby is connected.');
    expect(describedOn('Fetch errors by kind')).toContain('Empty is healthy: no error.');
  });

  it('shows exemplars wherever there are traces', () => {
    const found = drawn.flatMap((one) => {
      const all = one.panel.targets ?? [];
      const traced = all
        .filter(({ instant }) => !instant)
        .flatMap(({ expr }) => check(expr).selectors)
        .filter(({ metric }) => {
          const { kind, source } = packMetrics[metric as MetricName];
          return kind !== 'gauge' && (source === 'sdk' || source === 'runtime');
        });
      const asked = all.filter(({ exemplar }) => exemplar).flatMap(({ expr }) => check(expr).selectors);
      // Prometheus keeps the exemplars of a histogram with its buckets.
      const kept = asked.filter(({ series, metric }) => series === metric || series.endsWith('_bucket'));
      return kept.length > 0 === traced.length > 0 ? [] : [whereIs(one)];
    });
    expect(found).toEqual([]);
  });
});

describe('every panel', () => {
  it('has a title of its own, a description, a text for no data, a unit and a query', () => {
    const found = drawn.flatMap((one) => {
      const { panel } = one;
      const twins = drawn.filter(
        ({ dashboard, panel: { title } }) => dashboard === one.dashboard && title === panel.title,
      );
      const lacks = [
        ...(twins.length > 1 ? ['a title of its own'] : []),
        ...((panel.description ?? '').length < 10 ? ['a description'] : []),
        ...((panel.fieldConfig.defaults.noValue ?? '') === '' ? ['a text for no data'] : []),
        ...(panel.fieldConfig.defaults.unit === undefined && panel.type !== 'table' ? ['a unit'] : []),
        ...((panel.targets ?? []).length === 0 ? ['a query'] : []),
      ];
      return lacks.map((what) => ({ where: whereIs(one), what }));
    });
    expect(found).toEqual([]);
  });

  it('asks the Prometheus that was chosen, and so do its queries', () => {
    for (const { panel } of drawn) {
      for (const asked of [panel, ...(panel.targets ?? [])]) expect(asked.datasource?.uid).toBe('${datasource}');
    }
  });

  it('is drawn by a plugin that is part of Grafana', () => {
    for (const { panels } of dashboards) for (const { type } of panels) expect(CORE_PANELS).toContain(type);
  });

  it('is within the 24 columns and overlaps no other panel', () => {
    for (const { panels } of dashboards) {
      const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`),
      );
      expect(Math.max(...panels.map(({ gridPos }) => gridPos.x + gridPos.w))).toBeLessThanOrEqual(24);
      expect(new Set(cells).size).toBe(cells.length);
    }
  });

  it('links to existing dashboards', () => {
    const uids = new Set(dashboards.map(({ uid }) => uid));
    for (const { panel } of drawn) {
      for (const { url } of panel.links ?? []) {
        expect(uids).toContain(/^\/d\/([\w-]+)\?/.exec(url)?.[1]);
        expect(url).toContain('${__url_time_range}&${__all_variables}');
      }
    }
  });
});

describe.each(dashboards.map((dashboard) => [dashboard.title, dashboard] as const))('%s', (_, dashboard) => {
  it('is read-only, refreshes itself, and looks back far enough to see something', () => {
    expect(dashboard).toMatchObject({ editable: false, schemaVersion: 42, time: { to: 'now' } });
    expect(dashboard.refresh).toMatch(/^\d+m$/);
    expect(dashboard.time.from).toMatch(/^now-\d+d$/);
  });

  it('lets its readers choose a Prometheus', () => {
    expect(dashboard.templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource', query: 'prometheus' });
  });

  it('has no variable without an effect', () => {
    const text = JSON.stringify([dashboard.panels, dashboard.templating.list.map(({ query }) => query)]);
    const names = dashboard.templating.list.map(({ name }) => name);
    expect(names.filter((name) => !new RegExp(`\\$\\{?${name}\\b`).test(text))).toEqual([]);
  });

  it('fills its variables from labels of the metrics, again when the time changes', () => {
    for (const variable of dashboard.templating.list.filter(({ type }) => type === 'query')) {
      const [, series = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(variable.query) ?? [];
      const { problems: found, labels } = check(series);
      expect(found.filter((problem) => !problem.includes('not within a rate'))).toEqual([]);
      expect(labels).toContain(label);
      expect(variable).toMatchObject({ refresh: 2, allValue: '.*', datasource: { uid: '${datasource}' } });
      expect(variable.description).toBeTruthy();
    }
  });

  it('links to the others, with variables and time', () => {
    const others = dashboards.map(({ uid }) => `/d/${uid}`).filter((url) => url !== `/d/${dashboard.uid}`);
    expect(dashboard.links.map(({ url }) => url).toSorted()).toEqual(others);
    for (const link of dashboard.links) expect(link).toMatchObject({ includeVars: true, keepTime: true });
  });
});

it('names the pack and the right that missing values need, and judges dead rows only where autovacuum would start', () => {
  const texts = new Set(drawn.map(({ panel }) => panel.fieldConfig.defaults.noValue));
  expect(texts).toContain(
    'no receiver polls with the pack scrape_pipeline, or its role needs SELECT on its tables: siphon doctor prints the grant',
  );
  expect(texts).toContain(
    'no receiver polls with the pack postgres_health, or its role needs pg_read_all_stats: siphon doctor prints the grant',
  );
  expect([...texts].filter((text) => text?.includes('database is not polled'))).toEqual([]);
  const dead = targets.filter(({ target }) => /state="dead".* \/ /s.test(target.expr));
  expect(dead.length).toBeGreaterThan(0);
  for (const { target } of dead) expect(target.expr).toMatch(/and on\s?\(table\).*state="dead".*>= 10000/s);
});

describe('what is committed', () => {
  it('is what npm run generate writes', async () => {
    for (const [name, text] of await generatedFiles()) {
      expect(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'), name).toBe(text);
    }
  });
});
