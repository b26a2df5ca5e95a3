/** Compares the data on the scrape endpoint and in the sink with the runs and the database. */
import { coffeeMetrics, type MetricName } from './coffee-metrics.ts';
import type { DatabaseTruth } from './database/database-truth.ts';
import type { RunReport } from './pipeline/run-report.ts';
import type { ScrapePage } from './scrape-page.ts';
import type { SentrySink } from '../sentry-sink/sentry-sink.ts';

export interface Evidence {
  readonly page: ScrapePage;
  readonly truth: DatabaseTruth;
  /** The content of the database before the pipeline started, when all counters were 0. */
  readonly baseline: DatabaseTruth;
  readonly sink: Pick<SentrySink, 'transactions' | 'errors' | 'problems'>;
  readonly runs: readonly RunReport[];
  /** The traces that an exemplar on the page refers to. */
  readonly linkedTraces: ReadonlySet<string>;
  /** The traces of runs that are in the store of the sidecar. */
  readonly storedTraces: ReadonlySet<string>;
}

export interface Check {
  readonly what: string;
  readonly seen: string;
  readonly expected: string;
  readonly ok: boolean;
}

const STATEMENTS = 'absent without the extension pg_stat_statements';

/** Metrics that one full run and one price run may not produce, and why. Every other metric is required. */
export const notTouchedByOneRun: Partial<Record<MetricName, string>> = {
  scrape_run_oldest_running_seconds: 'absent while no run is in progress',
  database_table_autovacuum_age_seconds: 'absent until autovacuum has processed the table',
  scrape_cadence_invalid: 'absent while every cadence can be read',
  database_statement_calls_total: STATEMENTS,
  database_statement_time_seconds_total: STATEMENTS,
  database_statement_rows_total: STATEMENTS,
  database_statement_blocks_read_total: STATEMENTS,
  database_statement_temp_blocks_written_total: STATEMENTS,
  database_io_time_seconds_total: 'absent while track_io_timing is off',
  database_wal_files_size_bytes: 'absent while the role may not execute pg_ls_waldir',
  database_wal_archived_total: 'absent while archive_mode is off',
  database_wal_archive_age_seconds: 'absent while archive_mode is off',
  database_wal_archive_failing: 'absent while archive_mode is off',
  database_replication_behind_bytes: 'absent without a standby',
  database_replication_lag_seconds: 'absent without a standby',
  database_slot_retained_bytes: 'absent without a replication slot',
  database_slot_remaining_bytes: 'absent without a replication slot',
  database_slot_active: 'absent without a replication slot',
  database_subscription_running: 'absent without a subscription',
  database_subscription_silence_seconds: 'absent without a subscription',
  database_subscription_errors_total: 'absent without a subscription',
  database_replay_behind_bytes: 'absent on a primary',
  database_replay_lag_seconds: 'absent on a primary',
  database_wal_receiver_streaming: 'absent on a primary',
  database_recovery_conflicts_total: 'absent on a primary',
  database_table_bloat_bytes: 'absent while every table is small',
  database_index_problem_bytes: 'absent while no index has a problem',
  database_sequence_used_ratio: 'absent while the role may not read sequences',
};

/** Returns one check for everything that must have arrived. */
export function checkArrival(evidence: Evidence): Check[] {
  return [
    ...metricChecks(evidence),
    ...databaseChecks(evidence),
    ...evidence.runs.flatMap((run) => runChecks(evidence, run)),
    atLeastOne('runs reported by the pipeline', evidence.runs.length),
    equal('envelopes that Sentry would refuse', evidence.sink.problems().length, 0),
    ...evidence.sink.problems().map((problem) => equal(`refused: ${problem}`, 1, 0)),
  ];
}

function metricChecks({ page }: Evidence): Check[] {
  const names = Object.keys(coffeeMetrics) as MetricName[];
  return names
    .filter((name) => notTouchedByOneRun[name] === undefined)
    .map((name) => atLeastOne(`series of ${name}`, page.seriesCount(name)));
}

/** Counters must equal the number of new rows, and gauges the number of rows. */
function databaseChecks({ page, truth, baseline }: Evidence): Check[] {
  const counted = (metric: MetricName | `${MetricName}_count`, of: CountedRows): Check =>
    equal(`${metric}, as ${of} in the database`, page.sum(metric), truth[of] - baseline[of]);
  const shown = (metric: MetricName, of: CountedRows): Check =>
    equal(`${metric}, as in the database`, page.sum(metric), truth[of]);
  return [
    counted('artifacts_total', 'artifacts'),
    counted('scrape_artifacts_recorded_total', 'artifacts'),
    counted('prices_recorded_total', 'prices'),
    counted('price_deltas_total', 'prices'),
    counted('price_change_ratio_count', 'changes'),
    counted('price_changes_total', 'changes'),
    counted('price_spike_alerts_total', 'spikes'),
    counted('price_job_duration_seconds_count', 'runs'),
    counted('scrape_runs_started_total', 'runs'),
    counted('scrape_runs_finished_total', 'runs'),
    counted('scrape_run_duration_seconds_count', 'runs'),
    counted('coffees_created_total', 'coffees'),
    counted('variants_created_total', 'variants'),
    shown('coffees', 'coffees'),
    shown('variants', 'variants'),
    ...truth.reviewRates.map(({ slug, percent }) =>
      equal(`review_rate_percent of ${slug}`, page.sum('review_rate_percent', { roaster: slug }), percent),
    ),
  ];
}

type CountedRows = Exclude<keyof DatabaseTruth, 'reviewRates'>;

/** The store has every run. Sentry gets the failed ones, those that an exemplar refers to, and some of the others. */
function runChecks(evidence: Evidence, { jobType, source, traceId = '', errors }: RunReport): Check[] {
  const { sink, linkedTraces, storedTraces } = evidence;
  const mustBeSent = errors.length > 0 || linkedTraces.has(traceId);
  const transactions = sink.transactions().filter(({ contexts }) => contexts.trace.trace_id === traceId);
  const messages = sink
    .errors()
    .filter(({ contexts }) => contexts?.trace?.trace_id === traceId)
    .flatMap(({ exception }) => exception.values.map(({ value }) => value));
  return [
    equal(`${jobType} ${source} in the store, trace ${traceId}`, Number(storedTraces.has(traceId)), 1),
    ...(mustBeSent ? [atLeastOne(`transactions of ${jobType} ${source}, trace ${traceId}`, transactions.length)] : []),
    ...errors.map((message) =>
      atLeastOne(`errors \u201C${message}\u201D in that trace`, messages.filter((value) => value === message).length),
    ),
  ];
}

function atLeastOne(what: string, seen: number): Check {
  return { what, seen: String(seen), expected: 'at least 1', ok: seen >= 1 };
}

function equal(what: string, seen: number | undefined, expected: number): Check {
  const ok = seen !== undefined && Math.abs(seen - expected) < 1e-6;
  return { what, seen: String(seen ?? 'absent'), expected: String(expected), ok };
}
