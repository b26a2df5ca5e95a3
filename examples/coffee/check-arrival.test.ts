import { describe, expect, it } from 'vitest';
import { coffeeMetrics, type MetricName } from './coffee-metrics.ts';
import { checkArrival, notTouchedByOneRun, type Evidence } from './check-arrival.ts';
import { checkTable } from './once.ts';
import { ScrapePage } from './scrape-page.ts';
import type { SentError, SentTransaction } from '../sentry-sink/payloads.ts';

const traceId = 'a'.repeat(32);
const message = 'cannot fetch page 2 of the shop: 502';
const nothing = { artifacts: 0, prices: 0, changes: 0, spikes: 0, runs: 0, coffees: 0, variants: 0, reviewRates: [] };
const truth = {
  artifacts: 6,
  prices: 361,
  changes: 20,
  spikes: 2,
  runs: 4,
  coffees: 40,
  variants: 343,
  reviewRates: [{ slug: 'babas-beans', percent: 20 }],
};
const values: Partial<Record<MetricName, number>> = {
  artifacts_total: 6,
  scrape_artifacts_recorded_total: 6,
  prices_recorded_total: 361,
  price_deltas_total: 361,
  price_change_ratio: 20,
  price_changes_total: 20,
  price_spike_alerts_total: 2,
  price_job_duration_seconds: 4,
  scrape_runs_started_total: 4,
  scrape_runs_finished_total: 4,
  scrape_run_duration_seconds: 4,
  coffees_created_total: 40,
  variants_created_total: 343,
  coffees: 40,
  variants: 343,
  review_rate_percent: 20,
};

const successful = { jobType: 'full', source: 'shop', status: 'ok', traceId, errors: [] } as const;
const partial = { ...successful, status: 'partial', errors: [message] } as const;

describe('the arrival check', () => {
  it('passes when everything has arrived', () => {
    expect(missing({})).toEqual([]);
  });

  it.each((Object.keys(coffeeMetrics) as MetricName[]).filter((name) => notTouchedByOneRun[name] === undefined))(
    'fails without %s on the scrape page',
    (name) => {
      expect(missing({ page: pageOf({ [name]: undefined }) }).join()).toContain(`series of ${name}`);
    },
  );

  it.each(Object.keys(values) as MetricName[])('fails when %s differs from the database', (name) => {
    const found = missing({ page: pageOf({ [name]: values[name]! - 1 }) });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(name);
  });

  it('compares counters with the new rows, and gauges with all rows', () => {
    const baseline = { ...truth, artifacts: 2, prices: 300, changes: 10, spikes: 1, runs: 3 };
    const grown = {
      artifacts_total: 4,
      scrape_artifacts_recorded_total: 4,
      prices_recorded_total: 61,
      price_deltas_total: 61,
      price_change_ratio: 10,
      price_changes_total: 10,
      price_spike_alerts_total: 1,
      price_job_duration_seconds: 1,
      scrape_runs_started_total: 1,
      scrape_runs_finished_total: 1,
      scrape_run_duration_seconds: 1,
      coffees_created_total: 0,
      variants_created_total: 0,
    };
    expect(missing({ baseline, page: pageOf(grown) })).toEqual([]);
    expect(missing({ baseline })).toHaveLength(Object.keys(grown).length);
  });

  it.each<[string, Partial<Evidence>, string]>([
    ['the runs', { runs: [] }, 'runs reported by the pipeline'],
    ['a run', { storedTraces: new Set() }, `full shop in the store, trace ${traceId}`],
    [
      'a transaction of a failed run',
      { sink: sinkOf([], [errorEvent(traceId, message)]) },
      `transactions of full shop, trace ${traceId}`,
    ],
    [
      'a transaction that an exemplar refers to',
      { sink: sinkOf([], []), runs: [successful], linkedTraces: new Set([traceId]) },
      `transactions of full shop, trace ${traceId}`,
    ],
    ['an error', { sink: sinkOf([transaction(traceId)], []) }, `errors \u201C${message}\u201D in that trace`],
    [
      'an error of this trace',
      { sink: sinkOf([transaction(traceId)], [errorEvent('b'.repeat(32), message)]) },
      `errors \u201C${message}\u201D in that trace`,
    ],
    [
      'an error of this text',
      { sink: sinkOf([transaction(traceId)], [errorEvent(traceId, 'another')]) },
      `errors \u201C${message}\u201D in that trace`,
    ],
  ])('fails without %s', (_, evidence, what) => {
    expect(missing(evidence)).toEqual([what]);
  });

  it('passes without the transaction of a run that sampling may drop', () => {
    expect(missing({ sink: sinkOf([], []), runs: [successful] })).toEqual([]);
  });

  it('fails when Sentry would refuse an envelope', () => {
    const sink = { ...sinkOf([transaction(traceId)], [errorEvent(traceId, message)]), problems: () => ['no event_id'] };
    expect(missing({ sink })).toEqual(['envelopes that Sentry would refuse', 'refused: no event_id']);
  });

  it('prints a table that shows what is missing', () => {
    const table = checkTable([
      { what: 'coffees, as in the database', seen: '39', expected: '40', ok: false },
      { what: 'series of variants', seen: '4', expected: 'at least 1', ok: true },
    ]);
    expect(table).toEqual([
      'checked                      seen  expected',
      'coffees, as in the database  39    40          MISSING',
      'series of variants           4     at least 1  ok',
    ]);
  });
});

function missing(evidence: Partial<Evidence>): string[] {
  const sink = sinkOf([transaction(traceId)], [errorEvent(traceId, message)]);
  const links = { linkedTraces: new Set<string>(), storedTraces: new Set([traceId]) };
  return checkArrival({ page: pageOf({}), truth, baseline: nothing, sink, runs: [partial], ...links, ...evidence })
    .filter(({ ok }) => !ok)
    .map(({ what }) => what);
}

function pageOf(changes: Partial<Record<MetricName, number | undefined>>): ScrapePage {
  const lines = (Object.keys(coffeeMetrics) as MetricName[]).flatMap((name) => {
    const value = name in changes ? changes[name] : (values[name] ?? 1);
    const series = coffeeMetrics[name].kind === 'histogram' ? `${name}_count` : name;
    return value === undefined ? [] : [`${series}{roaster="babas-beans"} ${value}`];
  });
  return new ScrapePage(lines.join('\n'));
}

function sinkOf(transactions: SentTransaction[], errors: SentError[]): Evidence['sink'] {
  return { transactions: () => transactions, errors: () => errors, problems: () => [] };
}

function transaction(trace_id: string): SentTransaction {
  const times = { start_timestamp: 1, timestamp: 2 };
  const trace = { trace_id, span_id: 'c'.repeat(16), op: 'default', status: 'ok' };
  return {
    type: 'transaction',
    event_id: 'd'.repeat(32),
    transaction: 'A.1 run',
    ...times,
    contexts: { trace },
    spans: [],
  };
}

function errorEvent(trace_id: string, value: string): SentError {
  const trace = { trace_id, span_id: 'c'.repeat(16) };
  const exception = { values: [{ type: 'FetchError', value }] };
  return { event_id: 'e'.repeat(32), timestamp: 1, level: 'error', exception, contexts: { trace } };
}
