/** Compares what has arrived with what has happened. Pure but for its question to the database. */
import { Client } from 'pg';
import { catalogue, type MetricName } from '../catalogue/catalogue.ts';
import { notTouchedByOneRun } from './once-expectations.ts';
import type { RunReport } from './pipeline/run-report.ts';
import type { ScrapePage } from './scrape-page.ts';
import type { SentrySink } from './sentry-sink/sentry-sink.ts';

export interface DatabaseTruth {
  readonly artifacts: number;
  readonly prices: number;
  readonly runs: number;
  readonly coffees: number;
  readonly variants: number;
  readonly reviewRates: readonly { readonly slug: string; readonly percent: number }[];
}

export type Arrived = Pick<SentrySink, 'transactions' | 'errors' | 'problems'>;

/** One sentence for each thing that is missing or differs; none when everything has arrived. */
export function findMissing(
  page: ScrapePage,
  truth: DatabaseTruth,
  sink: Arrived,
  runs: readonly RunReport[],
): string[] {
  return [...missingMetrics(page), ...differences(page, truth), ...missingTraces(sink, runs), ...sink.problems()];
}

export async function askDatabase(databaseUrl: string): Promise<DatabaseTruth> {
  const client = new Client({ connectionString: databaseUrl, application_name: 'siphon-demo-check' });
  await client.connect();
  try {
    const counts = await client.query<Omit<DatabaseTruth, 'reviewRates'>>(
      `select (select count(*) from scrape_artifacts)::int as artifacts, (select count(*) from prices)::int as prices,
              (select count(*) from scrape_runs)::int as runs, (select count(*) from coffees)::int as coffees,
              (select count(*) from variants)::int as variants`,
    );
    const rates = await client.query<DatabaseTruth['reviewRates'][number]>(
      `select r.slug, (100.0 * count(*) filter (where c.processing_status = 'review') / count(*))::float8 as percent
       from coffees c join roasters r on r.id = c.roaster_id where c.processing_status is not null group by r.slug`,
    );
    return { ...counts.rows[0]!, reviewRates: rates.rows };
  } finally {
    await client.end();
  }
}

function missingMetrics(page: ScrapePage): string[] {
  const names = Object.keys(catalogue) as MetricName[];
  return names
    .filter((name) => notTouchedByOneRun[name] === undefined && !page.has(name))
    .map((name) => `${name} (${catalogue[name].source}) is not on the scrape endpoint`);
}

function differences(page: ScrapePage, truth: DatabaseTruth): string[] {
  const started = { rpc: 'rpc_scrape_run_start', outcome: 'ok' };
  return [
    differs('artifacts_total', page.sum('artifacts_total'), truth.artifacts),
    differs('price_deltas_total', page.sum('price_deltas_total'), truth.prices),
    differs('rpc_operations_total of rpc_scrape_run_start', page.sum('rpc_operations_total', started), truth.runs),
    differs('coffees', page.sum('coffees'), truth.coffees),
    differs('variants', page.sum('variants'), truth.variants),
    ...truth.reviewRates.map(({ slug, percent }) =>
      differs(`review_rate_percent of ${slug}`, page.sum('review_rate_percent', { roaster: slug }), percent),
    ),
  ].filter((difference) => difference !== undefined);
}

function differs(what: string, shown: number | undefined, expected: number): string | undefined {
  if (shown !== undefined && Math.abs(shown - expected) < 1e-6) return undefined;
  return `${what} is ${String(shown ?? 'absent')}, the database has ${expected}`;
}

function missingTraces(sink: Arrived, runs: readonly RunReport[]): string[] {
  if (runs.length === 0) return ['the pipeline has told of no run'];
  const transactions = new Set(sink.transactions().map((transaction) => transaction.contexts.trace.trace_id));
  return runs.flatMap(({ jobType, source, traceId, errors }) => [
    ...(traceId !== undefined && transactions.has(traceId)
      ? []
      : [`the sink has no transaction of the ${jobType} run of ${source} (trace ${String(traceId)})`]),
    ...errors
      .filter((message) => !hasError(sink, traceId, message))
      .map((message) => `the sink has no error “${message}” in trace ${String(traceId)}`),
  ]);
}

function hasError(sink: Arrived, traceId: string | undefined, message: string): boolean {
  return sink
    .errors()
    .some(
      ({ contexts, exception }) =>
        contexts.trace.trace_id === traceId && exception.values.some(({ value }) => value === message),
    );
}
