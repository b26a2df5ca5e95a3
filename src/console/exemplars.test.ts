import { describe, expect, it } from 'vitest';
import { exemplarsOf, seriesOf } from './answers.ts';
import type { DataSource, Exemplar } from './data-source.ts';
import { chosenExemplars } from './exemplar-choice.ts';
import { traceIdOf, traceLink } from './trace.ts';
import { shipped } from '../../tests/support/dashboards/shipped.ts';
import { dashboardModels, type GraphModel } from '../dashboards/model/dashboard-model.ts';

const ID = '0af7651916cd43dd8448eb211c80319c';

function exemplar(timeS: number, value: number, trace = ID): Exemplar {
  return { labels: { trace_id: trace }, timeS, value };
}

describe('exemplars', () => {
  it('are those with a trace, within the time', () => {
    const others = [
      exemplar(50, 1, 'javascript:alert(1)'),
      exemplar(-1, 1),
      exemplar(101, 1),
      exemplar(50, Number.NaN),
    ];
    expect(chosenExemplars([exemplar(60, 2), ...others], { fromS: 0, toS: 100 })).toEqual([exemplar(60, 2)]);
  });

  it('are the largest of each short while, however many there are', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => exemplar(index / 100, index % 7));
    const chosen = chosenExemplars(many, { fromS: 0, toS: 100 });
    expect(chosen.length).toBeLessThanOrEqual(50);
    expect(new Set(chosen.map(({ value }) => value))).toEqual(new Set([6]));
    expect(chosen.map(({ timeS }) => timeS)).toEqual(chosen.map(({ timeS }) => timeS).toSorted((a, b) => a - b));
  });

  it('lead to Sentry by their trace', () => {
    expect(traceIdOf({ trace_id: ID })).toBe(ID);
    expect(traceLink(ID, { sentry: 'https://example.sentry.io/', views: [] })).toMatchObject({
      href: `https://example.sentry.io/explore/traces/trace/${ID}/`,
      isOutside: true,
    });
    expect(traceLink(ID, { views: [] })).toBeUndefined();
  });

  it('lead to the trace on the page itself where it shows traces', () => {
    const link = traceLink(ID, { sentry: 'https://example.sentry.io/', views: ['traces', 'logs'] });
    expect(link).toMatchObject({ href: `/traces/${ID}`, isOutside: false });
  });

  const panel = dashboardModels(shipped.dashboards)[0]!
    .rows.flatMap(({ panels }) => panels)
    .find((one) => one.form === 'graph' && one.title === 'Latency of the shops') as GraphModel;
  const moment = { nowS: 1000, lengthS: 600, scrapeS: 15, choices: {} };
  const nothing: DataSource = {
    labelValues: async () => [],
    at: async () => [],
    over: async () => [],
    exemplars: async () => {
      throw new Error('exemplar storage is off');
    },
  };

  it('take nothing from a graph where Prometheus keeps none', async () => {
    const steps = { fromS: 400, toS: 1000, stepS: 15 };
    expect(await exemplarsOf(panel, nothing, { moment, steps })).toEqual([]);
  });

  it('limits a graph to the largest series, and counts the omitted ones', async () => {
    const crowd = {
      ...nothing,
      over: async () =>
        Array.from({ length: 100 }, (_, index) => ({ labels: { source: `s${index}` }, values: [index] })),
    };
    const { series, left } = await seriesOf(panel, crowd, moment);
    expect({ count: series.length, left, first: series[0]?.name }).toEqual({ count: 60, left: 40, first: 's99' });
  });
});
