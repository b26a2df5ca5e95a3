/**
 * Metrics that other programs and libraries emit and that dashboards and alerts use. Keys are the Prometheus names; labels
 * have the names of the attributes as Prometheus sees them.
 */
import type { BudgetedLabel, Metric } from './metric.ts';

const httpMethod: BudgetedLabel = { maxValues: 10, description: 'HTTP method' };
const httpStatus: BudgetedLabel = {
  maxValues: 20,
  description: 'HTTP status of the response; absent without a response',
};
const serverAddress: BudgetedLabel = { maxValues: 60, description: 'host that was called' };
const serverPort: BudgetedLabel = { maxValues: 60, description: 'port that was called' };
/** Routes beyond are not reported. */
export const httpRoute: BudgetedLabel = {
  maxValues: 200,
  description: 'route of the request, for example /users/:id; absent where none matched',
};
const errorType: BudgetedLabel = { maxValues: 20, description: 'kind of failure; absent on success' };
/** Pools of further names are one series together. */
export const poolName: BudgetedLabel = { maxValues: 20, description: 'host, port and database of the pool' };

/** Commands of PostgreSQL, those of `db.operation.name`. */
export const sqlVerbs = [
  'ABORT',
  'ALTER',
  'ANALYZE',
  'BEGIN',
  'CALL',
  'CHECKPOINT',
  'CLOSE',
  'CLUSTER',
  'COMMENT',
  'COMMIT',
  'COPY',
  'CREATE',
  'DEALLOCATE',
  'DECLARE',
  'DELETE',
  'DISCARD',
  'DO',
  'DROP',
  'END',
  'EXECUTE',
  'EXPLAIN',
  'FETCH',
  'GRANT',
  'IMPORT',
  'INSERT',
  'LISTEN',
  'LOAD',
  'LOCK',
  'MERGE',
  'MOVE',
  'NOTIFY',
  'PREPARE',
  'REASSIGN',
  'REFRESH',
  'REINDEX',
  'RELEASE',
  'RESET',
  'REVOKE',
  'ROLLBACK',
  'SAVEPOINT',
  'SELECT',
  'SET',
  'SHOW',
  'START',
  'TABLE',
  'TRUNCATE',
  'UNLISTEN',
  'UPDATE',
  'VACUUM',
  'VALUES',
] as const;

/** Further ones are `other`. */
const databaseOperation: BudgetedLabel = {
  maxValues: 60,
  description: 'command of the database, for example SELECT or GET; absent where it is not known',
};

const statementAttributes = {
  db_operation_name: 'db.operation.name',
  db_namespace: 'db.namespace',
  db_system_name: 'db.system.name',
  server_address: 'server.address',
  server_port: 'server.port',
  error_type: 'error.type',
} as const;

const poolAttributes = {
  db_client_connection_pool_name: 'db.client.connection.pool.name',
  db_client_connection_state: 'db.client.connection.state',
} as const;

const statementBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10] as const;

/** Bounds of the instrumentations with many series: `sdk/views.ts` applies them, and keeps only the labels below. */
export const answerSeconds = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;
export const callSeconds = [0.05, 0.25, 1, 5, 30, 60] as const;
export const pauseSeconds = [0.01, 0.1, 1] as const;

/** From the instrumentations that the preload sets up. Names, units, and all other labels and bounds are those of the semantic conventions. */
export const instrumentationMetrics = {
  http_client_request_duration_seconds: {
    source: 'runtime',
    kind: 'histogram',
    name: 'http.client.request.duration',
    unit: 's',
    description: 'Duration of requests that the service sent; their spans show which host was slow',
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
      http_route: httpRoute,
      error_type: errorType,
    },
    buckets: answerSeconds,
  },
  db_client_operation_duration_seconds: {
    source: 'runtime',
    kind: 'histogram',
    name: 'db.client.operation.duration',
    unit: 's',
    description: 'Duration of the statements and commands that the service sent to databases',
    labels: {
      db_operation_name: databaseOperation,
      db_namespace: { maxValues: 5, description: 'name of the database' },
      db_system_name: { maxValues: 5, description: 'postgresql, mysql, redis and so on' },
      server_address: serverAddress,
      server_port: serverPort,
      error_type: errorType,
    },
    attributes: statementAttributes,
    buckets: statementBuckets,
  },
  db_client_connection_count: {
    source: 'runtime',
    kind: 'gauge',
    name: 'db.client.connection.count',
    unit: '{connection}',
    description: 'Connections in the pools of the service, idle or used',
    labels: { db_client_connection_pool_name: poolName, db_client_connection_state: ['idle', 'used'] },
    attributes: poolAttributes,
  },
  db_client_connection_max: {
    source: 'runtime',
    kind: 'gauge',
    name: 'db.client.connection.max',
    unit: '{connection}',
    description: 'Connections that a pool of the service may open',
    labels: { db_client_connection_pool_name: poolName },
    attributes: poolAttributes,
  },
  db_client_connection_pending_requests: {
    source: 'runtime',
    kind: 'gauge',
    name: 'db.client.connection.pending_requests',
    unit: '{request}',
    description: 'Requests of the service that wait for a connection from its pool',
    labels: { db_client_connection_pool_name: poolName },
    attributes: poolAttributes,
  },
  nodejs_eventloop_delay_p99_seconds: {
    source: 'runtime',
    kind: 'gauge',
    name: 'nodejs.eventloop.delay.p99',
    unit: 's',
    description: '99th percentile of the event loop delay since the previous export',
    labels: {},
  },
  nodejs_eventloop_delay_max_seconds: {
    source: 'runtime',
    kind: 'gauge',
    name: 'nodejs.eventloop.delay.max',
    unit: 's',
    description: 'Longest event loop delay since the previous export',
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

/** From Prometheus about each target that it scrapes. The labels are only `job` and `instance`. */
export const prometheusMetrics = {
  up: {
    source: 'prometheus',
    kind: 'gauge',
    name: 'up',
    unit: '{target}',
    description: '1 if the last scrape of the target succeeded, otherwise 0',
    labels: {},
  },
  scrape_duration_seconds: {
    source: 'prometheus',
    kind: 'gauge',
    name: 'scrape_duration_seconds',
    unit: 's',
    description: 'Duration of the last scrape of the target',
    labels: {},
  },
  scrape_samples_scraped: {
    source: 'prometheus',
    kind: 'gauge',
    name: 'scrape_samples_scraped',
    unit: '{sample}',
    description: 'Samples in the last scrape of the target',
    labels: {},
  },
} as const satisfies Record<string, Metric>;
