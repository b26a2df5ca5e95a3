import type { Environment } from '../engine/config/expand.ts';

/** The properties of the project that change the default configuration. */
export interface DefaultConfigOptions {
  /** True if the variable DATABASE_URL is set: then the poller is on, otherwise it is a comment. */
  readonly hasDatabase: boolean;
  /** True if the sidecar may create the folder `.siphon`, so that counters continue after a restart. */
  readonly keepsState: boolean;
  readonly ports: Readonly<Record<keyof typeof DEFAULT_PORTS, number>>;
}

export const DEFAULT_PORTS = {
  // The lower one first: `init` looks for free ports in this order.
  grpc: 4317,
  http: 4318,
  metrics: 8000,
  health: 13_133,
  store: 13_134,
  console: 8001,
  history: 8002,
  self: 8888,
} as const;

/** True if the service's database is known, so that the poller can be on. */
export function hasDatabase({ DATABASE_URL = '' }: Environment): boolean {
  return DATABASE_URL !== '';
}

/** The configuration that siphon uses without a file, and the content of the file that `siphon init` writes. */
export function defaultConfig({ hasDatabase: isPolled, keepsState, ports }: DefaultConfigOptions): string {
  return `# The configuration of siphon, in the format of the OpenTelemetry Collector.
# All ports listen on 127.0.0.1 only. Secrets come from environment variables.

receivers:
  # Telemetry from services that run with \`node --import siphon-otel/preload app.js\`.
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:${ports.http}
      grpc:
        endpoint: 127.0.0.1:${ports.grpc}

${poller(isPolled, keepsState)}
processors:
  # Refuses data before the process exceeds its memory. Senders retry later.
  memory_limiter:
    check_interval: 1s
    limit_mib: 512
    spike_limit_mib: 128

  batch:
    timeout: 1s

exporters:
  # The scrape endpoint: http://127.0.0.1:${ports.metrics}/metrics
  prometheus:
    endpoint: 127.0.0.1:${ports.metrics}
    metric_expiration: 5m
    # Exemplars link graphs to traces.
    enable_open_metrics: true
    # The console shows these series.
    history: metrics_history

  # Sends transactions and errors to Sentry. If SENTRY_DSN is not set, telemetry is accepted and dropped.
  sentry:
    dsn: \${env:SENTRY_DSN:-}

  # Keeps recent spans, log lines and exemplars in memory for the console, \`siphon trace\` and \`siphon logs\`.
  telemetry_store:
    endpoint: 127.0.0.1:${ports.store}
${keepsState ? KEPT : ''}
extensions:
${keepsState ? FILE_STORAGE : ''}${extensions(ports, keepsState)}
service:
  extensions: [${keepsState ? 'file_storage, ' : ''}health_check, metrics_history, console]
  pipelines:
    metrics:
      receivers: [otlp${isPolled ? ', db_poller' : ''}]
      processors: [memory_limiter]
      exporters: [prometheus, telemetry_store]
    traces:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [sentry, telemetry_store]
${logs(isPolled)}  telemetry:
    # The metrics of the sidecar itself: http://127.0.0.1:${ports.self}/metrics
    metrics:
      readers:
        - pull:
            exporter:
              prometheus:
                host: 127.0.0.1
                port: ${ports.self}
`;
}

function extensions(ports: DefaultConfigOptions['ports'], keepsState: boolean): string {
  return `  # http://127.0.0.1:${ports.health}/ responds with 200 while the sidecar is healthy.
  health_check:
    endpoint: 127.0.0.1:${ports.health}

  # Keeps the last hour of all series. Grafana can use the address as a Prometheus.
  metrics_history:
    endpoint: 127.0.0.1:${ports.history}
    # Evaluates the alerts of the packs here, for the console and for an Alertmanager. It takes about 20 MiB.
    # rules: {}
${keepsState ? KEPT : ''}
  # Dashboards, traces, errors and logs in a browser: http://127.0.0.1:${ports.console}/
  # Without \`console\` in service::extensions, the page is off.
  console:
    endpoint: 127.0.0.1:${ports.console}
`;
}

function poller(isPolled: boolean, keepsState: boolean): string {
  const lines = keepsState ? `${POLLER}    storage: file_storage\n` : POLLER;
  return isPolled ? `${POLLER_IS_ON}${lines}` : `${POLLER_IS_OFF}${commented(lines)}`;
}

function logs(isPolled: boolean): string {
  return `    # Only the exceptions among them go to Sentry.
    logs:
      receivers: [otlp${isPolled ? ', db_poller' : ''}]
      processors: [memory_limiter, batch]
      exporters: [sentry, telemetry_store]
`;
}

const KEPT = `    # To keep it over a restart:
    # storage: file_storage
`;

const POLLER_IS_ON = '  # Metrics from PostgreSQL, with read-only queries.\n';

const POLLER_IS_OFF = `${POLLER_IS_ON}  # Set DATABASE_URL, uncomment the next lines and add \`db_poller\` to the receivers of the pipelines metrics and logs.
`;

const POLLER = `  db_poller:
    datasource: \${env:DATABASE_URL}
    collection_interval: 15s
    packs:
      # Add the tables that matter, for their size, dead rows and vacuum: {tables: [public.orders]}
      postgres_health: {}
`;

const FILE_STORAGE = `  # Keeps the state of the poller, so that its counters continue after a restart.
  file_storage:
    directory: \${env:SIPHON_STORAGE_DIRECTORY:-.siphon}
    create_directory: true

`;

/** Comments out each line, so that an editor can uncomment the block again. */
function commented(lines: string): string {
  return lines.replaceAll(/^ {2}/gm, '  # ');
}
