import { describe, expect, it } from 'vitest';
import { packMetrics } from '../../packs/index.ts';
import { checkExpression, type CheckedExpression } from './check-expression.ts';

function check(expression: string): CheckedExpression {
  return checkExpression(expression, { metrics: packMetrics });
}

function f(expression: string, ...problems: string[]): void {
  expect(check(expression).problems, expression).toEqual(problems);
}

describe('the check of an expression', () => {
  it('takes what can be', () => {
    f('sum by (status) (increase(scrape_runs_finished_total{roaster=~"$roaster"}[$__range]))');
    f('histogram_quantile(0.95, sum by (le, source) (rate(fetch_latency_seconds_bucket[$__rate_interval])))');
    f('time() - max by (roaster) (scrape_last_run_timestamp_seconds{status=~"ok|partial"})');
    f(String.raw`sum(increase(scrape_run_duration_seconds_bucket{le=~"600(\\.0)?"}[7d]))`);
  });

  it('names what cannot be parsed', () => {
    f('sum(increase(', 'cannot be parsed from 13: ');
  });

  it('names unknown metrics, labels, values and buckets', () => {
    f('max(no_such_metric)', 'no_such_metric is not a known metric');
    f('max(roasters{roaster="a"})', 'roasters has no label roaster');
    f('max(roasters{is_active="yes"})', 'roasters: is_active is never yes');
    f('sum(increase(price_change_ratio_bucket{le="1.4"}[7d]))', 'price_change_ratio_bucket has no bucket up to 1.4');
  });

  it('names counters without a rate, rates of gauges and histograms without a part', () => {
    f('sum(artifacts_total)', 'artifacts_total only grows and is not within a rate');
    f('max(max_over_time(artifacts_total[1h]))', 'artifacts_total only grows and is not within a rate');
    f('sum(rate(database_size_bytes[5m]))', 'database_size_bytes goes up and down and has no rate');
    f('max(fetch_latency_seconds)', 'fetch_latency_seconds is a histogram and has no such series');
  });

  it('names a quantile without le and labels that were aggregated away', () => {
    f(
      'histogram_quantile(0.95, sum by (source) (rate(fetch_latency_seconds_bucket[5m])))',
      'a quantile needs le: sum by (source) (rate(fetch_latency_seconds_bucket[5m]))',
    );
    f(
      'max by (roaster) (max by (platform) (scrape_runs_running))',
      'by (roaster), but the label does not exist: max by (roaster) (max by (platform) (scrape_runs_running))',
    );
  });

  it('names sides that never match and units that do not fit', () => {
    f(
      'max by (roaster) (scrape_runs_running) / max(scrape_runs_running)',
      'sides that never match, (roaster) and (): max by (roaster) (scrape_runs_running) / max(scrape_runs_running)',
    );
    f(
      'max(database_size_bytes) - max(database_transaction_longest_seconds)',
      'By and s: max(database_size_bytes) - max(database_transaction_longest_seconds)',
    );
  });

  it('knows the unit and the labels of the result', () => {
    const result = check('sum by (source) (rate(fetch_errors_total[5m]))');
    expect(result.unit).toBe('{error}/s');
    expect([...(result.labels ?? [])]).toEqual(['source']);
    expect(check('max(database_size_bytes) / max(database_size_bytes)').unit).toBe('1');
    const mean = check('sum(increase(fetch_latency_seconds_sum[1h])) / sum(increase(fetch_latency_seconds_count[1h]))');
    expect(mean).toMatchObject({ unit: 's', problems: [] });
  });
});
