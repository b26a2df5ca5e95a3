import { encodeMetricsRequest, type Attributes, type MetricData } from '../../../../engine/otlp/metrics-writer.ts';
import type { QueryContext } from '../../../../postgres/polling/query-health.ts';
import { send } from '../../../../postgres/polling/send.ts';
import type { Schema, TableColumns } from '../query.ts';
import type { PollerMetrics } from './poller-metrics.ts';

/** Polls one query and publishes the answers. */
export interface QueryRun {
  /** The query is not polled while one of these columns is missing. */
  readonly needs: TableColumns;

  /**
   * Polls once and publishes the answer. Resolves to undefined if the server cannot answer this query.
   *
   * @param signal ends the poll soon; the caller ignores its error then.
   * @throws PostgresError, StorageError or PipelineRefusal
   */
  poll(schema: Schema, signal: AbortSignal): Promise<Poll | undefined>;

  /** Marks everything published so far as stale (NoRecordedValue). @throws PipelineRefusal */
  retract(): Promise<void>;

  /** Remembers the existing rows, so that `poll` counts later ones. */
  prepare?(schema: Schema, signal: AbortSignal): Promise<void>;
}

export interface Poll {
  readonly durationMs: number;
  readonly rows: number;
  /** True if rows are waiting, so that the next poll should follow soon. */
  readonly isBehind?: boolean;
  /** The pause before it; default: a second. */
  readonly pauseMs?: number | undefined;
}

/** The parts that all queries of a receiver share. */
export interface RunContext extends QueryContext {
  readonly metrics: PollerMetrics;
  readonly resource: Attributes;
}

/** Sends points to the pipeline; does nothing without points. @throws PipelineRefusal */
export async function publish(context: RunContext, metrics: readonly MetricData[]): Promise<void> {
  const itemCount = metrics.reduce((sum, { points }) => sum + points.length, 0);
  if (itemCount === 0) return;
  const { consumer, resource, version } = context;
  const scope = { name: 'siphon/db_poller', version };
  const chunk = encodeMetricsRequest({ resource, scope, timeUnixMs: Date.now(), metrics });
  await send(consumer, { signal: 'metrics', chunk, itemCount });
}
