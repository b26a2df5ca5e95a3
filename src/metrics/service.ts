/**
 * What any service with a database may record about itself. A pack may narrow the labels. Keys are the Prometheus names.
 */
import type { Metric } from './metric.ts';

export const serviceMetrics = {
  database_queries_total: {
    source: 'sdk',
    kind: 'counter',
    name: 'database.queries',
    unit: '{query}',
    description: 'Statements that the pipeline sent to PostgreSQL',
    labels: {
      query_type: ['select', 'insert', 'update', 'delete', 'rpc'],
      table: { maxValues: 30, description: 'table or function that the statement is about' },
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
    description: 'Answers that asked the pipeline to slow down (429, 503, PostgreSQL 53300 and 53400)',
    labels: { service: { maxValues: 101, description: 'who asked: a source, or postgresql' } },
  },
  memory_usage_bytes: {
    source: 'sdk',
    kind: 'gauge',
    name: 'memory.usage',
    unit: 'By',
    description: 'Memory of the pipeline process',
    labels: { component: ['rss', 'heap_used', 'heap_total', 'external', 'array_buffers'] },
  },
  system_resources_usage: {
    source: 'sdk',
    kind: 'gauge',
    name: 'system.resources.usage',
    unit: '{fraction}',
    description: 'Share of what is there that the pipeline process uses, 0 to 1',
    labels: { resource: ['cpu', 'memory', 'event_loop'] },
  },
} as const satisfies Record<string, Metric>;
