import { encodeMetricsRequest, type Attributes, type MetricData } from '../../../../engine/otlp/metrics-writer.ts';
import type { QueryContext } from '../../../../postgres/polling/query-health.ts';
import { send } from '../../../../postgres/polling/send.ts';
import type { Schema, TableColumns } from '../query.ts';
import type { PollerMetrics } from './poller-metrics.ts';

/** One question to the database, and what becomes of the answer. */
export interface QueryRun {
  /** Without these columns, it is not asked. */
  readonly needs: TableColumns;

  /**
   * Asks once and publishes the answer.
   *
   * @param signal ends it soon; what it rejects with then does not matter.
   * @throws PostgresError, StorageError or PipelineRefusal
   */
  poll(schema: Schema, signal: AbortSignal): Promise<Poll>;

  /** Says of what was published that nobody knows any more whether it is true. @throws PipelineRefusal */
  retract(): Promise<void>;

  /** Takes note of what is there now, so that what is to come can be counted later, by `poll`. */
  prepare?(schema: Schema, signal: AbortSignal): Promise<void>;
}

export interface Poll {
  readonly durationMs: number;
  readonly rows: number;
  /** Whether more is known to wait, so that asking again soon helps. */
  readonly isBehind?: boolean;
}

/** What the queries of one receiver share. */
export interface RunContext extends QueryContext {
  readonly metrics: PollerMetrics;
  readonly resource: Attributes;
}

/** Hands points over, unless there are none. @throws PipelineRefusal */
export async function publish(context: RunContext, metrics: readonly MetricData[]): Promise<void> {
  const itemCount = metrics.reduce((sum, { points }) => sum + points.length, 0);
  if (itemCount === 0) return;
  const { consumer, resource, version } = context;
  const scope = { name: 'siphon/db_poller', version };
  const chunk = encodeMetricsRequest({ resource, scope, timeUnixMs: Date.now(), metrics });
  await send(consumer, { signal: 'metrics', chunk, itemCount });
}
