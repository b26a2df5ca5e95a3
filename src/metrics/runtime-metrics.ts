/**
 * What the instrumentations of the preload emit and dashboards need. Names and units are those of the semantic conventions,
 * labels and buckets too where `src/sdk/views.ts` does not keep them fewer; labels are the attributes' names as Prometheus
 * sees them. Keys are the Prometheus names.
 */
import { callSeconds, pauseSeconds } from './buckets.ts';
import type { BudgetedLabel, Metric } from './metric.ts';

const httpMethod: BudgetedLabel = { maxValues: 10, description: 'HTTP method' };
const httpStatus: BudgetedLabel = { maxValues: 20, description: 'HTTP status of the answer; absent without one' };
const serverAddress: BudgetedLabel = { maxValues: 60, description: 'host that was asked' };
const serverPort: BudgetedLabel = { maxValues: 60, description: 'port that was asked' };
const urlScheme: BudgetedLabel = { maxValues: 2, description: 'http or https' };
const protocolVersion: BudgetedLabel = { maxValues: 3, description: 'version of HTTP' };
const errorType: BudgetedLabel = { maxValues: 20, description: 'what went wrong; absent when nothing did' };
const poolName: BudgetedLabel = { maxValues: 5, description: 'host, port and database of the pool' };

const requestBuckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;
const statementBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] as const;

export const runtimeMetrics = {
  http_client_request_duration_seconds: {
    source: 'runtime',
    kind: 'histogram',
    name: 'http.client.request.duration',
    unit: 's',
    description: 'Duration of requests that the service sent; which host was slow, their spans tell',
    labels: { http_request_method: httpMethod, http_response_status_code: httpStatus, error_type: errorType },
    buckets: callSeconds,
  },
  http_server_request_duration_seconds: {
    source: 'runtime',
    kind: 'histogram',
    name: 'http.server.request.duration',
    unit: 's',
    description: 'Duration of requests that the service answered',
    labels: {
      http_request_method: httpMethod,
      http_response_status_code: httpStatus,
      http_route: { maxValues: 30, description: 'route that answered, where the framework names it' },
      url_scheme: urlScheme,
      network_protocol_version: protocolVersion,
      error_type: errorType,
    },
    buckets: requestBuckets,
  },
  db_client_operation_duration_seconds: {
    source: 'runtime',
    kind: 'histogram',
    name: 'db.client.operation.duration',
    unit: 's',
    description: 'Duration of the statements that the service sent to PostgreSQL',
    labels: {
      db_operation_name: { maxValues: 20, description: 'first word of the statement' },
      db_namespace: { maxValues: 5, description: 'name of the database' },
      db_system_name: { maxValues: 1, description: 'postgresql' },
      server_address: serverAddress,
      server_port: serverPort,
      error_type: errorType,
    },
    buckets: statementBuckets,
  },
  db_client_connection_count: {
    source: 'runtime',
    kind: 'gauge',
    name: 'db.client.connection.count',
    unit: '{connection}',
    description: 'Connections in the pools of the service, by whether they are in use',
    labels: { db_client_connection_pool_name: poolName, db_client_connection_state: ['idle', 'used'] },
  },
  db_client_connection_max: {
    source: 'runtime',
    kind: 'gauge',
    name: 'db.client.connection.max',
    unit: '{connection}',
    description: 'Connections that a pool of the service may open',
    labels: { db_client_connection_pool_name: poolName },
  },
  db_client_connection_pending_requests: {
    source: 'runtime',
    kind: 'gauge',
    name: 'db.client.connection.pending_requests',
    unit: '{request}',
    description: 'Requests of the service that wait for a connection of its pool',
    labels: { db_client_connection_pool_name: poolName },
  },
  nodejs_eventloop_delay_p99_seconds: {
    source: 'runtime',
    kind: 'gauge',
    name: 'nodejs.eventloop.delay.p99',
    unit: 's',
    description: 'Delay of the event loop that one turn in a hundred exceeds, since the previous export',
    labels: {},
  },
  v8js_gc_duration_seconds: {
    source: 'runtime',
    kind: 'histogram',
    name: 'v8js.gc.duration',
    unit: 's',
    description: 'Duration of garbage collections',
    labels: { v8js_gc_type: ['major', 'minor', 'incremental', 'weakcb'] },
    buckets: pauseSeconds,
  },
} as const satisfies Record<string, Metric>;
