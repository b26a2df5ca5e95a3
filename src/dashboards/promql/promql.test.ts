import { describe, expect, it } from 'vitest';
import { average, count, max, min, sum } from './aggregate.ts';
import {
  absent,
  absentSeries,
  age,
  and,
  compare,
  compareTo,
  constant,
  minus,
  missingTo,
  or,
  plus,
  ratio,
  relativeTo,
  times,
  together,
  unless,
} from './arithmetic.ts';
import { selectorsOf } from './node.ts';
import { range, step } from '../model/variables.ts';
import { render } from './render.ts';
import { promql } from './promql.ts';
import type { Vector } from './vector.ts';
import { recorded, recordingsOf } from '../rules/recording.ts';
import { packMetrics } from '../../packs/index.ts';

const {
  buckets,
  change,
  increase,
  increases,
  latest,
  mean,
  observationsUpTo,
  occurrences,
  overTime,
  quantile,
  quantileOfOccurrences,
  rate,
  shareAbove,
  sumRate,
} = promql(packMetrics);

const failed = increase('scrape_runs_finished_total', '7d', { status: 'fail' });
const finished = increase('scrape_runs_finished_total', '7d');

/** When processes began, of a range. */
function startsOver(time: string): string {
  return `_over_time(service_start_timestamp_seconds[${time}])`;
}

/** Where its process was seen more often than the series, began in the window, or was seen before it. */
function isWhole(counts: string, window: string, lengthMs = `${window}_ms`): string {
  const [within, shortlyBefore] = [startsOver(window), `last${startsOver('5m').slice(0, -1)} offset ${window})`];
  const began = `((((time() - last${within}) * 1000) - 300000) <= ${lengthMs})`;
  const known = `((count${within} + 1) and (${began} or ${shortlyBefore}))`;
  return `(count_over_time(${counts}[${window}]) < on (job, instance) group_left () max by (job, instance) (${known} or count${within}))`;
}

/** Only where counting of rows began in the window. */
function countingBegan(window: string): string {
  const since = 'min(siphon_db_poller_counting_since_timestamp_seconds)';
  return `((((time() - ${since}) * 1000) - 300000) <= ${window}_ms)`;
}

function f(expression: Vector, text: string, unit: string): void {
  expect(render(expression)).toBe(text);
  expect(expression.unit).toBe(unit);
}

describe('an expression', () => {
  it('selects by labels and values of the metrics', () => {
    f(sum(failed), 'sum(increase(scrape_runs_finished_total{status="fail"}[7d]))', '{run}');
    f(
      sum(rate('artifacts_total', '5m', { status: { not: ['200', '304'] } }), ['platform']),
      'sum by (platform) (rate(artifacts_total{status!~"200|304"}[5m]))',
      '{artifact}/s',
    );
    f(
      sum(rate('http_server_request_duration_seconds', '5m', { http_response_status_code: { startsWith: '5' } }), [
        'job',
      ]),
      'sum by (job) (rate(http_server_request_duration_seconds_count{http_response_status_code=~"5.*"}[5m]))',
      '{observation}/s',
    );
    f(
      max(latest('scrape_runs_running', { roaster: { not: 'blue-tokai' } })),
      'max(scrape_runs_running{roaster!="blue-tokai"})',
      '{run}',
    );
  });

  it('takes values of labels literally, whatever they mean in a regular expression or a string', () => {
    f(
      sum(rate('fetch_errors_total', '1d', { source: ['A.2', 'B.1'], error_type: 'timeout' })),
      String.raw`sum(rate(fetch_errors_total{source=~"A\\.2|B\\.1", error_type="timeout"}[1d]))`,
      '{error}/s',
    );
    f(
      sum(rate('fetch_errors_total', '1d', { source: 'a"b\\c' })),
      String.raw`sum(rate(fetch_errors_total{source="a\"b\\c"}[1d]))`,
      '{error}/s',
    );
  });

  it('knows gauges over time, histograms and their buckets', () => {
    f(max(overTime('max', 'database_size_bytes', '1d')), 'max(max_over_time(database_size_bytes[1d]))', 'By');
    f(max(change('database_size_bytes', '1d')), 'max(delta(database_size_bytes[1d]))', 'By');
    f(
      quantile(0.95, { name: 'scrape_run_duration_seconds', window: '1h', by: ['roaster'], where: { status: 'ok' } }),
      'histogram_quantile(0.95, sum by (le, roaster) (increase(scrape_run_duration_seconds_bucket{status="ok"}[1h]))) >= 600',
      's',
    );
    f(
      buckets({ name: 'price_change_ratio', window: '7d' }),
      'sum by (le) (increase(price_change_ratio_bucket[7d]))',
      '{observation}',
    );
    f(
      sum(observationsUpTo('scrape_run_duration_seconds', 600, '7d')),
      String.raw`sum(increase(scrape_run_duration_seconds_bucket{le=~"600(\\.0)?"}[7d]))`,
      '{observation}',
    );
    f(
      sum(observationsUpTo('price_change_ratio', 1.5, '7d')),
      'sum(increase(price_change_ratio_bucket{le="1.5"}[7d]))',
      '{observation}',
    );
    f(
      mean({ name: 'scrape_run_duration_seconds', window: '7d', by: ['roaster'], where: { status: 'ok' } }),
      'sum by (roaster) (increase(scrape_run_duration_seconds_sum{status="ok"}[7d])) / (sum by (roaster) (increase(scrape_run_duration_seconds_count{status="ok"}[7d])) > 0)',
      's',
    );
    f(max(sumRate('v8js_gc_duration_seconds', '5m')), 'max(rate(v8js_gc_duration_seconds_sum[5m]))', '1');
  });

  it('has no ratio without a whole, and 0 where a part was never counted', () => {
    f(
      ratio(sum(failed), sum(finished)),
      '(sum(increase(scrape_runs_finished_total{status="fail"}[7d])) or (sum(increase(scrape_runs_finished_total[7d])) * 0)) / (sum(increase(scrape_runs_finished_total[7d])) > 0)',
      '1',
    );
  });

  it('relates many to one where the one has fewer labels', () => {
    f(
      relativeTo(
        max(latest('otelcol_exporter_queue_size'), ['exporter', 'data_type']),
        max(latest('otelcol_exporter_queue_capacity'), ['exporter']),
      ),
      'max by (exporter, data_type) (otelcol_exporter_queue_size) / on (exporter) group_left () max by (exporter) (otelcol_exporter_queue_capacity)',
      '1',
    );
  });

  it('computes with what fits together', () => {
    const size = max(latest('database_size_bytes'), ['instance']);
    const tables = sum(latest('database_table_size_bytes'), ['instance']);
    f(minus(size, tables), `${render(size)} - ${render(tables)}`, 'By');
    f(plus(size, tables), `${render(size)} + ${render(tables)}`, 'By');
    f(times(size, 8, 'bit'), `${render(size)} * 8`, 'bit');
    f(missingTo(100, min(latest('pipeline_health_score'))), '100 - min(pipeline_health_score)', '{score}');
    f(
      age(max(latest('scrape_last_run_timestamp_seconds'), ['roaster'])),
      'time() - max by (roaster) (scrape_last_run_timestamp_seconds)',
      's',
    );
  });

  it('compares, and keeps what has or lacks a counterpart', () => {
    const overdue = max(latest('scrape_overdue_seconds'), ['roaster', 'cadence']);
    const running = sum(latest('scrape_runs_running'), ['roaster']);
    f(count(compare(overdue, '>', 0), [], '{cadence}'), `count(${render(overdue)} > 0)`, '{cadence}');
    f(and(compare(overdue, '>', 60), running), `(${render(overdue)} > 60) and on (roaster) ${render(running)}`, 's');
    f(unless(overdue, running), `${render(overdue)} unless on (roaster) ${render(running)}`, 's');
    f(or(average(latest('up')), constant(0, '{target}')), 'avg(up) or vector(0)', '{target}');
    f(absent(sum(latest('up'))), 'absent(sum(up))', '1');
  });

  it('counts a series that is new within the window from its birth', () => {
    const run = occurrences('6h');
    const timeouts = 'fetch_errors_total{error_type="timeout"}';
    f(
      sum(run('fetch_errors_total', { error_type: 'timeout' }), ['source']),
      `sum by (source) (((last_over_time(${timeouts}[6h]) unless last_over_time(${timeouts}[1d] offset 6h)) and ${isWhole(timeouts, '6h', '21600000')}) or increase(${timeouts}[6h]))`,
      '{error}',
    );
    const bucket = 'price_job_duration_seconds_bucket';
    f(
      quantileOfOccurrences(0.5, { name: 'price_job_duration_seconds', window: '1d' }),
      `histogram_quantile(0.5, sum by (le) (((last_over_time(${bucket}[1d]) unless last_over_time(${bucket}[1d] offset 1d)) and ${isWhole(bucket, '1d', '86400000')}) or increase(${bucket}[1d]))) >= 0`,
      's',
    );
  });

  it('counts what came before the first scrape of a process or of counted rows, but not what PostgreSQL counted', () => {
    const newborn =
      '(last_over_time(fetch_errors_total[$__range]) unless last_over_time(fetch_errors_total[1d] offset $__range))';
    f(
      sum(increase('fetch_errors_total', range)),
      `sum((${newborn} and ${isWhole('fetch_errors_total', '$__range')}) or round(increase(fetch_errors_total[$__range])))`,
      '{error}',
    );
    f(
      sum(increase('scrape_runs_finished_total', '$__range')),
      `sum(((scrape_runs_finished_total unless last_over_time(scrape_runs_finished_total[5m] offset $__range)) and on () (${countingBegan('$__range')} unless on () (max(changes(siphon_db_poller_counting_since_timestamp_seconds[$__range])) > 0))) or round(increase(scrape_runs_finished_total[$__range])))`,
      '{run}',
    );
    f(
      sum(increase('database_deadlocks_total', '$__range')),
      'sum(round(increase(database_deadlocks_total[$__range])))',
      '{deadlock}',
    );
  });

  it('counts from one point of a graph to the next, without extrapolation', () => {
    const [now, before] = ['[$__interval]', '[1d] offset $__interval'].map(
      (at) => `last_over_time(artifacts_total${at})`,
    );
    f(
      sum(increase('artifacts_total', step)),
      `sum(((${now} - ${before}) >= 0) or (${now} and ${isWhole('artifacts_total', '$__interval')}))`,
      '{artifact}',
    );
    const runs = 'scrape_runs_finished_total';
    f(
      sum(increase(runs, step)),
      `sum(((${runs} - last_over_time(${runs}[1h] offset $__interval)) >= 0) or (${runs} and on () ${countingBegan('$__interval')}))`,
      '{run}',
    );
    const deadlocks = 'database_deadlocks_total';
    f(
      sum(increase(deadlocks, step)),
      `sum(((${deadlocks} - ${deadlocks} offset $__interval) >= 0) or round(increase(${deadlocks}[$__rate_interval])))`,
      '{deadlock}',
    );
  });

  it('has the exact share of the observations above a bound', () => {
    f(
      shareAbove(600, { name: 'scrape_run_duration_seconds', window: '7d', by: ['roaster'] }),
      String.raw`1 - (sum by (roaster) (increase(scrape_run_duration_seconds_bucket{le=~"600(\\.0)?"}[7d])) / (sum by (roaster) (increase(scrape_run_duration_seconds_count[7d])) > 0))`,
      '1',
    );
  });

  it('counts the events of counters and of histograms alike', () => {
    const week = increases('7d');
    f(
      sum(together(week('scrape_run_duration_seconds'), week('scrape_runs_finished_total')), ['roaster']),
      'sum by (roaster) (increase(scrape_run_duration_seconds_count[7d]) or increase(scrape_runs_finished_total[7d]))',
      '{observation}',
    );
  });

  it('reads what was recorded, and knows what it was computed from', () => {
    const runs = recorded('instance:runs:count7d', sum(increases('7d')('scrape_runs_finished_total'), ['instance']));
    f(compare(runs, '>=', 5), 'instance:runs:count7d >= 5', '{run}');
    expect(selectorsOf(runs.node).map(({ name }) => name)).toEqual(['scrape_runs_finished_total']);
    expect(recordingsOf(compare(runs, '>=', 5)).map(({ name }) => name)).toEqual(['instance:runs:count7d']);
  });

  it('compares with another vector, and reports that series are absent', () => {
    const used = max(latest('database_connections_used'), ['instance']);
    const limit = max(latest('database_connections_limit'), ['instance']);
    f(compareTo(used, '>=', limit), `${render(used)} >= ${render(limit)}`, '{connection}');
    const missing = absentSeries(latest('up', { job: 'siphon' }), ['job']);
    f(missing, 'absent(up{job="siphon"})', '1');
    expect(missing.labels).toEqual(['job']);
  });

  it('refuses to compute with different units or labels', () => {
    const bytes = max(latest('database_size_bytes'));
    const seconds = max(latest('database_transaction_longest_seconds'));
    expect(() => minus(bytes, seconds)).toThrow('By and s are not the same unit');
    expect(() => ratio(bytes, seconds)).toThrow('By and s are not the same unit');
    expect(() => age(bytes)).toThrow('By is not a time');
    const byTable: Vector = sum(latest('database_table_size_bytes'), ['table']);
    expect(() => plus(bytes as Vector, byTable)).toThrow('by () and by (table) never match');
  });
});

describe('in the scope of a dashboard', () => {
  const scope = {
    labels: { roaster: 'roaster', source: 'roaster', platform: 'platform' },
    sources: { sdk: { job: 'job' }, poller: { instance: 'database' } },
  };

  it('every selector carries the variables of its labels and its source', () => {
    expect(render(sum(latest('scrape_runs_running')), scope)).toBe(
      'sum(scrape_runs_running{roaster=~"$roaster", platform=~"$platform", instance=~"$database"})',
    );
    expect(render(sum(rate('validation_errors_total', range)), scope)).toBe(
      'sum(rate(validation_errors_total{source=~"$roaster", platform=~"$platform", job=~"$job"}[$__range]))',
    );
  });

  it('a label that the expression chooses itself is left as it is', () => {
    expect(render(sum(latest('scrape_runs_running', { roaster: 'one', instance: 'two' })), scope)).toBe(
      'sum(scrape_runs_running{roaster="one", instance="two", platform=~"$platform"})',
    );
  });
});

describe('a mistake that does not compile', () => {
  it('is a name, a label, a value, a bound or a kind that no metric has', () => {
    // @ts-expect-error no such metric
    expect(() => latest('no_such_metric')).toThrow();
    // @ts-expect-error no such label
    sum(latest('scrape_runs_running'), ['variant']);
    // @ts-expect-error no such value
    increase('scrape_runs_finished_total', '7d', { status: 'failed' });
    // @ts-expect-error no such bound
    observationsUpTo('price_change_ratio', 1.4, '7d');
    // @ts-expect-error a counter is not a gauge
    latest('scrape_runs_finished_total');
    // @ts-expect-error a gauge has no rate
    rate('database_size_bytes', '5m');
    // @ts-expect-error a time without a unit
    rate('artifacts_total', '5');
  });
});
