import { scrapePipelineMetrics } from '../database-metrics.ts';
import {
  componentScore,
  healthComponentNames,
  totalScore,
  unknownComponents,
  type HealthComponentName,
  type HealthInputs,
} from '../health-score.ts';
import {
  metricColumns,
  type GaugeQuery,
  type Row,
  type Schema,
  type TableColumns,
} from '../../../components/receivers/db-poller/query.ts';
import type { RoasterLabel } from './roaster-label.ts';
import { cadenceColumns, cadenceOptionalColumns, cadenceRows, overdueOf, type CadenceRow } from './overdue.ts';

interface Input {
  readonly needs: TableColumns;
  /** A scalar subquery; `$1` is the health window in seconds, `$2` the time after which a price is stale. */
  readonly sql: (schema: Schema) => string;
}

const inputs = (roaster: RoasterLabel): Readonly<Record<HealthComponentName, Input>> => ({
  runs: {
    needs: { scrape_runs: ['status', 'started_at', 'finished_at'] },
    sql: ({ table }) =>
      `(select 100.0 * count(*) filter (where status::text = 'ok') / nullif(count(status), 0)
        from ${table('scrape_runs')} where finished_at is not null and started_at > now() - make_interval(secs => $1))`,
  },
  freshness: {
    needs: cadenceColumns(roaster),
    sql: (schema) => `(select json_agg(one_row) from (${cadenceRows(schema, roaster)}) one_row)`,
  },
  checked: {
    needs: { variants: ['status', 'price_last_checked_at'] },
    sql: ({ table }) =>
      `(select 100.0 * count(*) filter (where price_last_checked_at >= now() - make_interval(secs => $2)) / nullif(count(*), 0)
        from ${table('variants')} where status::text = 'active')`,
  },
  review: {
    needs: { coffees: ['processing_status'] },
    sql: ({ table }) =>
      `(select 100.0 * count(*) filter (where processing_status::text = 'review') / nullif(count(processing_status), 0)
        from ${table('coffees')})`,
  },
  stock: {
    needs: { variants: ['status', 'in_stock'] },
    sql: ({ table }) =>
      `(select 100.0 * count(*) filter (where in_stock) / nullif(count(in_stock), 0)
        from ${table('variants')} where status::text = 'active')`,
  },
});

export interface HealthSettings {
  readonly windowSeconds: number;
  readonly staleAfterSeconds: number;
  /** In which the cadences are read. */
  readonly timezone: string;
}

/** Reads all inputs from the same snapshot. An input is unknown if the schema lacks its columns. */
export function health(settings: HealthSettings, roaster: RoasterLabel): GaugeQuery {
  const { windowSeconds, staleAfterSeconds, timezone } = settings;
  const all = inputs(roaster);
  return {
    needs: {},
    uses: unionOf([...Object.values(all).map(({ needs }) => needs), cadenceOptionalColumns]),
    metrics: metricColumns(scrapePipelineMetrics, {
      pipeline_health_input_percent: 'drop',
      pipeline_health_score: 'drop',
      pipeline_health_unknown_components: 'drop',
    }),
    pace: 'slow',
    statement: (schema) => ({
      text: `select $1::float8 as window_s, $2::float8 as stale_after_s, ${healthComponentNames
        .map((name) => `${inputSql(schema, all[name])} as ${name}, ${isThere(schema, all[name])} as has_${name}`)
        .join(', ')}`,
      values: [windowSeconds, staleAfterSeconds],
    }),
    derive: (rows) => scoreRows(rows[0] ?? {}, timezone),
  };
}

function inputSql(schema: Schema, input: Input): string {
  return isThere(schema, input) ? input.sql(schema) : 'null';
}

function isThere(schema: Schema, { needs }: Input): boolean {
  return Object.entries(needs).every(([table, columns]) => columns.every((column) => schema.has(table, column)));
}

function scoreRows(row: Row, timezone: string): Row[] {
  const known: HealthInputs = {
    ...percent('runs', row['runs']),
    ...percent('freshness', freshness(row['freshness'] as string | null, timezone)),
    ...percent('checked', row['checked']),
    ...percent('review', row['review']),
    ...percent('stock', row['stock']),
  };
  const unavailable = new Set(healthComponentNames.filter((name) => row[`has_${name}`] === false));
  // The database is not the pipeline's.
  if (unavailable.size === healthComponentNames.length) return [];
  const components = Object.entries(known).map(([component, input]) => ({
    component,
    pipeline_health_input_percent: input,
    pipeline_health_score: componentScore(component as HealthComponentName, input),
  }));
  return [
    ...components,
    { component: 'total', pipeline_health_score: totalScore(known, unavailable) },
    { pipeline_health_unknown_components: unknownComponents(known, unavailable).length },
  ];
}

function percent(name: HealthComponentName, value: unknown): HealthInputs {
  return value === null || value === undefined ? {} : { [name]: Number(value) };
}

/** Undefined if no cadence is valid. The query `overdue` reports invalid cron texts. */
function freshness(json: string | null, timezone: string): number | undefined {
  const cadences = JSON.parse(json ?? '[]') as readonly CadenceRow[];
  const ages = cadences.map((cadence) => overdueOf(cadence, timezone)).filter((age) => age !== undefined);
  return ages.length === 0 ? undefined : (100 * ages.filter((age) => age === 0).length) / ages.length;
}

function unionOf(parts: readonly TableColumns[]): TableColumns {
  const union: Record<string, string[]> = {};
  for (const part of parts) {
    for (const [table, columns] of Object.entries(part)) union[table] = [...(union[table] ?? []), ...columns];
  }
  return union;
}
