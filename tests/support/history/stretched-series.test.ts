import { describe, expect, it } from 'vitest';
import { packMetrics, type MetricName } from '../../../src/packs/index.ts';
import { stretchedSeries, type Stretch } from './stretched-series.ts';
import type { RecordedSeries } from './recording.ts';

/** Stretches ten seconds to a thousand, and repeats the last four of them stretched to forty. */
const STRETCHES: readonly Stretch[] = [
  { recorded: { fromS: 100, toS: 110 }, stretched: { fromS: 5000, toS: 6000 } },
  { recorded: { fromS: 106, toS: 110 }, stretched: { fromS: 6000, toS: 6040 } },
];

describe('the history of a recorded series', () => {
  it('keeps the number of runs, each at one moment, and continues from stretch to stretch', () => {
    const runs = stretchedSeries(recorded('scrape_runs_started_total', { 100: 3, 104: 5, 108: 6 }), STRETCHES);
    expect([5000, 5399, 5400, 5800, 6000, 6019, 6020, 6040].map(runs)).toEqual([3, 3, 5, 6, 6, 6, 7, 7]);
  });

  it('keeps the rate of everything that is continuous', () => {
    const seconds = stretchedSeries(recorded('otelcol_process_cpu_seconds', { 100: 0.5, 105: 1, 110: 1.5 }), STRETCHES);
    expect([5000, 5250, 6000, 6020].map(seconds)).toEqual([0.5, 25.5, 100.5, 102.5]);
  });

  it('begins where a series began, and has nothing of a gauge while it was gone', () => {
    const failed = stretchedSeries(recorded('price_job_failures_total', { 102: 1 }), STRETCHES);
    expect([5199, 5200, 6040].map(failed)).toEqual([undefined, 1, 1]);
    const age = stretchedSeries(recorded('scrape_run_oldest_running_seconds', { 100: 2 }), STRETCHES);
    expect([5000, 5900].map(age)).toEqual([2, undefined]);
  });

  it('has a last run, a start and a vacuum that are as many times longer ago as the time is stretched, and a reload that is not', () => {
    expect(timeAt('scrape_last_run_timestamp_seconds')).toBe(5500 - 300);
    expect(timeAt('siphon_db_poller_counting_since_timestamp_seconds')).toBe(5500 - 300);
    expect(timeAt('siphon_config_last_load_timestamp_seconds')).toBe(5500 - 3);
    const vacuum = stretchedSeries(recorded('database_table_autovacuum_age_seconds', { 104: 2 }), STRETCHES);
    expect(vacuum(5500)).toBe(200);
  });
});

/** The ages at 105 of two events: one at 98, scraped at 100, and one at 102, scraped at 104. */
function timeAt(name: MetricName): number | undefined {
  return stretchedSeries(recorded(name, { 100: 98, 104: 102 }), STRETCHES)(5500);
}

/** The values by time. */
function recorded(name: MetricName, values: Readonly<Record<number, number>>): RecordedSeries {
  const metric = packMetrics[name];
  return { name, metric, part: '', text: name, timesS: Object.keys(values).map(Number), values: Object.values(values) };
}
