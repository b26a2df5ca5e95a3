import { scrapePipelineMetrics } from '../database-metrics.ts';
import {
  metricColumns,
  type GaugeQuery,
  type Schema,
  type TableColumns,
} from '../../../components/receivers/db-poller/query.ts';
import { overdueSeconds, parseCadence } from './cadence.ts';
import type { RoasterLabel } from './roaster-label.ts';
import { latestRuns, type RunKind } from './latest-runs.ts';

export function cadenceColumns({ columns }: RoasterLabel): TableColumns {
  return {
    roasters: [...columns, 'is_active', 'created_at', 'full_cadence', 'price_cadence'],
    product_sources: ['id', 'roaster_id'],
    scrape_runs: ['source_id', 'started_at', 'finished_at', 'status'],
  };
}

/** Distinguishes price-only runs from full ones. Without it, every run counts as full. */
export const cadenceOptionalColumns: TableColumns = { scrape_runs: ['stats_json'] };

export function overdue(label: RoasterLabel): GaugeQuery {
  return {
    needs: cadenceColumns(label),
    uses: cadenceOptionalColumns,
    metrics: metricColumns(scrapePipelineMetrics, { scrape_overdue_seconds: 'max' }),
    statement: (schema) => ({ text: cadenceRows(schema, label) }),
    derive: (rows, notice) =>
      (rows as readonly unknown[] as readonly CadenceRow[]).map((row) => {
        const { roaster, platform, cadence } = row;
        const seconds = overdueOf(row);
        if (seconds === undefined) notice('invalid_cron', `${cadence}_cadence of roaster ${roaster}`);
        return { roaster, platform, cadence, scrape_overdue_seconds: seconds };
      }),
  };
}

/** Times are Unix seconds by the database's clock. */
export interface CadenceRow {
  readonly roaster: string | null;
  readonly platform: string | null;
  readonly cadence: 'full' | 'price';
  readonly cron: string;
  readonly now_s: number;
  /** The start of the latest run that did not fail, or the time when the roaster was added. */
  readonly since_s: number | null;
}

/** Undefined if the cron text is invalid or never matches. */
export function overdueOf(row: CadenceRow): number | undefined {
  const cadence = parseCadence(row.cron);
  return cadence && overdueSeconds(cadence, row.since_s ?? undefined, row.now_s);
}

/**
 * One row for each cadence of each active roaster. A full run satisfies the price cadence too. A failed or running run
 * satisfies neither.
 */
export function cadenceRows(schema: Schema, label: RoasterLabel): string {
  const { table } = schema;
  return `
    select ${label.select}, due.cadence, due.cron, extract(epoch from now())::float8 as now_s,
           extract(epoch from coalesce(due.last_started_at, roaster.created_at))::float8 as since_s
    from ${table('roasters')} roaster
    left join (select s.roaster_id, max(run.started_at) filter (where run.kind = 'full') as last_full,
                      max(run.started_at) as last_any
               from (${latestRuns(schema, satisfying(schema))}) run
               join ${table('product_sources')} s on s.id = run.source_id
               group by s.roaster_id) last on last.roaster_id = roaster.id
    cross join lateral (values ('full', roaster.full_cadence, last.last_full),
                               ('price', roaster.price_cadence, last.last_any)) due (cadence, cron, last_started_at)
    where roaster.is_active and due.cron <> ''`;
}

function satisfying({ has }: Schema): RunKind[] {
  const isFull = has('scrape_runs', 'stats_json') ? `stats_json ->> 'job_type' is distinct from 'price_only'` : 'true';
  return ['ok', 'partial'].flatMap((status) => [
    { name: 'any', condition: `status = '${status}'` },
    { name: 'full', condition: `status = '${status}' and ${isFull}` },
  ]);
}
