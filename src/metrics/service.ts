/**
 * The metrics that any service may record about itself. `observeProcess` and `withBackoff` record their
 * part. A pack may narrow the labels. Keys are the Prometheus names.
 */
import type { Metric } from './metric.ts';

export const serviceMetrics = {
  database_queries_total: {
    source: 'sdk',
    kind: 'counter',
    name: 'database.queries',
    unit: '{query}',
    description: 'Statements that the service sent to PostgreSQL',
    labels: {
      query_type: ['select', 'insert', 'update', 'delete', 'rpc'],
      table: { maxValues: 30, description: 'table or function of the statement' },
      success: ['true', 'false'],
    },
  },
  rpc_operations_total: {
    source: 'sdk',
    kind: 'counter',
    name: 'rpc.operations',
    unit: '{operation}',
    description: 'Calls of SQL functions that write',
    labels: {
      rpc: { maxValues: 30, description: 'name of the function' },
      outcome: ['ok', 'error'],
    },
  },
  rate_limit_errors_total: {
    source: 'sdk',
    kind: 'counter',
    name: 'rate_limit.errors',
    unit: '{error}',
    description: 'Responses that asked the service to slow down (429, 503, PostgreSQL 53300 and 53400)',
    labels: {
      service: { maxValues: 101, description: 'what was called: a name that the service chooses, or postgresql' },
    },
  },
  service_start_timestamp_seconds: {
    source: 'sdk',
    kind: 'gauge',
    name: 'service.start.timestamp',
    unit: 's',
    description: 'Unix time at which the service\u2019s process started',
    labels: {},
  },
  memory_usage_bytes: {
    source: 'sdk',
    kind: 'gauge',
    name: 'memory.usage',
    unit: 'By',
    description: 'Memory of the service\u2019s process',
    labels: { component: ['rss', 'heap_used', 'heap_total', 'external', 'array_buffers'] },
  },
  system_resources_usage: {
    source: 'sdk',
    kind: 'gauge',
    name: 'system.resources.usage',
    unit: '{fraction}',
    description: 'Share of the available resource that the service\u2019s process uses, 0 to 1',
    labels: { resource: ['cpu', 'memory', 'event_loop'] },
  },
} as const satisfies Record<string, Metric>;
