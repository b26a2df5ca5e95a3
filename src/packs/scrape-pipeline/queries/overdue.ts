import { scrapePipelineMetrics } from '../database-metrics.ts';
import {
  metricColumns,
  type GaugeQuery,
  type Schema,
  type TableColumns,
} from '../../../components/receivers/db-poller/query.ts';
import { dueRuns, overdueSeconds, parseCadence, type Satisfied } from './cadence.ts';
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

/** More runs without `ok` make no difference. */
const MOST_DUE = 10;

export function overdue(label: RoasterLabel, timezone: string): GaugeQuery {
  return {
    needs: cadenceColumns(label),
    uses: cadenceOptionalColumns,
    metrics: metricColumns(scrapePipelineMetrics, {
      scrape_overdue_seconds: 'max',
      scrape_due_since_ok: 'max',
      scrape_cadence_invalid: 'max',
    }),
    statement: (schema) => ({ text: cadenceRows(schema, label) }),
    derive: (rows, notice) =>
      (rows as readonly unknown[] as readonly CadenceRow[]).map((row) => {
        const { roaster, platform, cadence, now_s: now } = row;
        const parsed = parseCadence({ cron: row.cron, timezone });
        if (parsed === undefined) {
          notice('invalid_cron', `${cadence}_cadence of roaster ${roaster}`);
          return { roaster, platform, cadence, scrape_cadence_invalid: 1 };
        }
        return {
          roaster,
          platform,
          cadence,
          scrape_overdue_seconds: overdueSeconds(parsed, satisfied(row.ran_s, row), now),
          scrape_due_since_ok: dueRuns(parsed, satisfied(row.ok_s, row), { now, most: MOST_DUE }),
        };
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
  /** When the roaster was added. */
  readonly expected_s: number | null;
  /** The start of the latest run that did not fail. */
  readonly ran_s: number | null;
  /** The start of the latest run that ended ok. */
  readonly ok_s: number | null;
}

/** Undefined if the cron text is invalid or never matches. */
export function overdueOf(row: CadenceRow, timezone: string): number | undefined {
  const cadence = parseCadence({ cron: row.cron, timezone });
  return cadence && overdueSeconds(cadence, satisfied(row.ran_s, row), row.now_s);
}

function satisfied(ranAt: number | null, { expected_s }: CadenceRow): Satisfied {
  return { ranAt: ranAt ?? undefined, expectedSince: expected_s ?? undefined };
}

/**
 * One row for each cadence of each active roaster. A full run satisfies the price cadence too. A failed or running run
 * satisfies neither.
 */
export function cadenceRows(schema: Schema, label: RoasterLabel): string {
  const { table } = schema;
  return `
    select ${label.select}, due.cadence, due.cron, extract(epoch from now())::float8 as now_s,
           extract(epoch from roaster.created_at)::float8 as expected_s,
           extract(epoch from due.ran_at)::float8 as ran_s, extract(epoch from due.ok_at)::float8 as ok_s
    from ${table('roasters')} roaster
    left join (select s.roaster_id, ${latestOf(['full ok', 'full partial'], '"full"')}, ${latestOf(['full ok'], 'full_ok')},
                      ${latestOf(['ok', 'full ok'], 'any_ok')}, max(run.started_at) as "any"
               from (${latestRuns(schema, satisfying(schema))}) run
               join ${table('product_sources')} s on s.id = run.source_id
               group by s.roaster_id) last on last.roaster_id = roaster.id
    cross join lateral (values ('full', roaster.full_cadence, last."full", last.full_ok),
                               ('price', roaster.price_cadence, last."any", last.any_ok)) due (cadence, cron, ran_at, ok_at)
    where roaster.is_active and due.cron <> ''`;
}

function latestOf(kinds: readonly string[], column: string): string {
  return `max(run.started_at) filter (where run.kind in (${kinds.map((kind) => `'${kind}'`).join(', ')})) as ${column}`;
}

function satisfying({ has }: Schema): RunKind[] {
  const isFull = has('scrape_runs', 'stats_json') ? `stats_json ->> 'job_type' is distinct from 'price_only'` : 'true';
  return ['ok', 'partial'].flatMap((status) => [
    { name: status, condition: `status = '${status}'` },
    { name: `full ${status}`, condition: `status = '${status}' and ${isFull}` },
  ]);
}
