/** A job that ends before Prometheus has scraped it twice, as a cron job of the pipeline does, is on every panel. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askDatabase } from '../../examples/coffee/database/database-truth.ts';
import { startPipeline } from '../../examples/coffee/pipeline-process.ts';
import { scrape, type ScrapePage } from '../../examples/coffee/scrape-page.ts';
import { answersOf, seriesOf } from '../../src/console/answers.ts';
import { PrometheusSource } from '../../src/console/prometheus-source.ts';
import { viewOf } from '../../src/console/view.ts';
import { packMetrics, type MetricName } from '../../src/packs/index.ts';
import { checkExpression } from '../../src/dashboards/promql/check-expression.ts';
import { MonitoredDemo, SCRAPE_S } from '../support/dashboards/monitored-demo.ts';
import { eachPanel, type DashboardPanel } from '../support/dashboards/panel-data.ts';
import { prometheusMissing } from '../support/prometheus/prometheus-server.ts';
import { waitFor } from '../support/wait-for.ts';

if (prometheusMissing !== undefined)
  process.stderr.write(`That short jobs are on the panels is not proved: ${prometheusMissing}\n`);

const RANGE_S = 900;

/** Continuous work has no events. */
const ONGOING = new Set(['Time in garbage collection']);

describe.skipIf(prometheusMissing !== undefined)('a job with errors that is over in seconds', () => {
  let watched: MonitoredDemo;
  let source: PrometheusSource;
  let instance: string;
  let page: ScrapePage;

  beforeAll(async () => {
    watched = await MonitoredDemo.start({ demo: { once: true, isCalm: true } });
    const { demo, prometheus } = watched;
    await demo.pipelineEnded();
    // In a real system Prometheus has scraped the known roasters before a job starts.
    const known = 'scrape_run_duration_seconds_count{status="fail"} == 0';
    await waitFor(async () => (await prometheus.query(known)).length > 1, { what: 'the known roasters to be scraped' });
    await demo.setFault('store_down', true);
    const earlier = new Set((await scrape(demo.ports.scrape)).sumBy('instance', 'fetch_latency_seconds_count').keys());
    const job = startPipeline({
      databaseUrl: demo.databaseUrl,
      otlpPort: demo.ports.otlpHttp,
      folder: demo.folder,
      schedule: 'once',
    });
    await job.ended;
    source = new PrometheusSource(prometheus.url);
    page = await scrape(demo.ports.scrape);
    instance = [...page.sumBy('instance', 'fetch_errors_total').keys()].find((one) => !earlier.has(one))!;
    const failed = page.sum('fetch_errors_total', { instance });
    await waitFor(
      async () => {
        const [scraped] = await prometheus.query(`sum(fetch_errors_total{instance="${instance}"})`);
        return Number(scraped?.value[1]) === failed;
      },
      { what: 'the job to be scraped' },
    );
  }, 120_000);

  afterAll(async () => await watched?.[Symbol.asyncDispose]());

  /** The numbers on a panel, for this job alone. */
  const numbersOn = async ({ dashboard, panel }: DashboardPanel): Promise<ReadonlyMap<string, readonly number[]>> => {
    const { choices } = viewOf(dashboard, new URLSearchParams({ 'var-instance': instance }));
    const moment = { nowS: Date.now() / 1000, lengthS: RANGE_S, scrapeS: SCRAPE_S, choices };
    if (panel.form === 'graph') {
      const { series } = await seriesOf(panel, source, moment);
      return new Map(series.map(({ name, values }) => [name, values.filter((value) => value !== null)]));
    }
    const answers = await answersOf(panel, source, moment);
    return new Map(answers.map(({ query, samples }) => [query.legend, samples.map(({ value }) => value)]));
  };

  it('is on every panel that shows something it has counted', async () => {
    const told = eachPanel.filter(({ panel }) => !ONGOING.has(panel.title) && panel.queries.some(countsOf));
    expect(told.map(({ panel }) => panel.title)).toEqual(
      expect.arrayContaining(['Jobs that failed', 'Operations', 'Failing requests by shop', 'Fetch errors by kind']),
    );
    const empty: string[] = [];
    for (const one of told) {
      const numbers = await numbersOn(one);
      const isShare = one.panel.queries.every(({ unit }) => unit === '1');
      const isShown = isShare ? [...numbers.values()].flat().length > 0 : total(numbers.values()) > 0;
      if (!isShown) empty.push(`${one.dashboard.title}: ${one.panel.title}`);
    }
    expect(empty).toEqual([]);
  });

  it('has the numbers that it has counted, as whole numbers', async () => {
    const errors = page.sum('fetch_errors_total', { instance });
    expect(errors).toBeGreaterThanOrEqual(2);
    expect(total((await numbersOn(panelOf('Fetch errors by kind'))).values())).toBe(errors);
    const jobs = page.sum('price_job_failures_total', { instance });
    const outcomes = await numbersOn(panelOf('Jobs by outcome'));
    expect(total([...outcomes].flatMap(([name, values]) => (name.startsWith('failed') ? [values] : [])))).toBe(jobs);
    expect([...(await numbersOn(panelOf('Jobs that failed'))).values()].flat()).toEqual([1]);
    const calls = (await numbersOn(panelOf('Operations'))).get('calls')!;
    expect(total([calls])).toBe(page.sum('pipeline_operation_duration_seconds_count', { instance }));
    expect(calls.filter((value) => !Number.isInteger(value))).toEqual([]);
  });

  it('has the mean that it has measured, not one between two bounds', async () => {
    const mean = (await numbersOn(panelOf('Operations'))).get('mean')!;
    const name = 'pipeline_operation_duration_seconds';
    const sums = page.sumBy('operation', `${name}_sum`, { instance });
    const counts = page.sumBy('operation', `${name}_count`, { instance });
    const measured = [...sums].map(([operation, sum]) => sum / counts.get(operation)!);
    expect(inOrder(mean)).toEqual(inOrder(measured).map((value) => expect.closeTo(value, 9)));
  });

  it('has the duration of its runs, which are the first of their status for the roaster', async () => {
    const positive = expect.toSatisfy((mean: number) => mean > 0, 'is positive');
    await expect
      .poll(async () => (await numbersOn(panelOf('Jobs by roaster'))).get('mean'), { timeout: 20_000 })
      .toEqual([positive, positive]);
  });

  it('has all rows, also those that were counted before the first scrape', async () => {
    const { artifacts } = await askDatabase(watched.demo.databaseUrl);
    expect(artifacts).toBeGreaterThan(4);
    await expect
      .poll(async () => total((await numbersOn(panelOf('Artifacts by HTTP status'))).values()), { timeout: 20_000 })
      .toBe(artifacts);
    const [sizes = []] = (await numbersOn(panelOf('Size of the bodies'))).values();
    // Requests to a shop that is down have no body.
    const bodies = (await scrape(watched.demo.ports.scrape)).sum('scrape_artifact_body_bytes_count');
    expect(Math.max(...sizes)).toBe(bodies);
  });

  /** True if a query reads a counter or histogram of the process, and this job has events of it. */
  function countsOf({ expression }: { readonly expression: string }): boolean {
    return checkExpression(expression, { metrics: packMetrics }).selectors.some(({ series, metric }) => {
      const { kind, source: from } = packMetrics[metric as MetricName];
      const isOfProcess = kind !== 'gauge' && (from === 'sdk' || from === 'runtime');
      return isOfProcess && (page.sum(series, { instance }) ?? 0) > 0;
    });
  }
});

function panelOf(title: string): DashboardPanel {
  return eachPanel.find(({ panel }) => panel.title === title)!;
}

function total(numbers: Iterable<readonly number[]>): number {
  return [...numbers].flat().reduce((sum, value) => sum + value, 0);
}

function inOrder(values: readonly number[]): readonly number[] {
  return values.toSorted((one, other) => one - other);
}
