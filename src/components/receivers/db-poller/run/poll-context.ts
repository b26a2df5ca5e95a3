import { encodeMetricsRequest, type Attributes, type MetricData } from '../../../../engine/otlp/metrics-writer.ts';
import type { QueryContext } from '../../../../postgres/polling/query-health.ts';
import { send } from '../../../../postgres/polling/send.ts';
import type { PollerMetrics } from './poller-metrics.ts';

/** What the queries of one receiver share. */
export interface PollContext extends QueryContext {
  readonly metrics: PollerMetrics;
  readonly resource: Attributes;
}

/** Hands points over, unless there are none. @throws PipelineRefusal */
export async function publish(context: PollContext, metrics: readonly MetricData[]): Promise<void> {
  const itemCount = metrics.reduce((sum, { points }) => sum + points.length, 0);
  if (itemCount === 0) return;
  const { consumer, resource, version } = context;
  const scope = { name: 'siphon/db_poller', version };
  const chunk = encodeMetricsRequest({ resource, scope, timeUnixMs: Date.now(), metrics });
  await send(consumer, { signal: 'metrics', chunk, itemCount });
}
