/** How many series there are, so that nobody is surprised by the bill. */
import { knownMetrics, type KnownMetricName } from '../catalogue/known-metrics.ts';
import type { Metric } from '../catalogue/metric.ts';

/** Values that a label usually has for each set of values of the others, in a deployment of 50 roasters, one service process and one sidecar. */
const USUAL: Readonly<Record<string, number>> = {
  roaster: 50,
  source: 50,
  // A roaster has one platform and sells in one currency.
  platform: 1,
  currency: 1,
  table: 10,
  service: 5,
  http_status: 3,
  error_type: 1,
  reason: 2,
  query: 25,
  query_type: 2,
  label: 1,
  receiver: 1,
  processor: 1,
  exporter: 1,
  data_type: 1,
  otel_signal: 1,
  state: 2,
  http_request_method: 1,
  http_response_status_code: 2,
  server_address: 50,
  server_port: 1,
  url_scheme: 1,
  network_protocol_version: 1,
  http_route: 1,
  db_system_name: 1,
  transport: 1,
  db_operation_name: 5,
  db_namespace: 1,
  db_client_connection_pool_name: 1,
};

/** Where one metric differs. */
const USUAL_OF: Readonly<Partial<Record<KnownMetricName, Readonly<Record<string, number>>>>> = {
  artifacts_total: { status: 3 },
  coffees: { status: 2, processing_status: 2 },
  variants: { status: 2 },
  roasters: { platform: 4 },
  database_connections: { state: 4 },
  siphon_db_poller_errors: { reason: 15 },
  db_client_operation_duration_seconds: { server_address: 1 },
};

export interface Cardinality {
  readonly name: KnownMetricName;
  /** Sets of label values: the series of a counter, a gauge, or a native histogram. */
  readonly labelSets: number;
  /** With a series for each bucket, one for the sum and one for the count. */
  readonly series: number;
}

export function cardinalityOf(name: KnownMetricName): Cardinality {
  const metric: Metric = knownMetrics[name];
  const sizes = Object.entries(metric.labels).map(
    ([label, values]) =>
      USUAL_OF[name]?.[label] ?? USUAL[label] ?? ('maxValues' in values ? values.maxValues : values.length),
  );
  const labelSets = sizes.reduce((product, size) => product * size, 1);
  const perSet = metric.kind === 'histogram' ? metric.buckets.length + 3 : 1;
  return { name, labelSets, series: labelSets * perSet };
}

export function cardinalitySection(): string {
  const names = Object.keys(knownMetrics) as KnownMetricName[];
  const rows = names.map(cardinalityOf).toSorted((one, other) => other.series - one.series);
  const total = (key: 'labelSets' | 'series'): number => rows.reduce((sum, row) => sum + row[key], 0);
  return (
    [
      '## How many series',
      'What a deployment of 50 roasters, one service process and one sidecar usually has: a roaster has one platform and one currency, sees three HTTP statuses and one kind of error; the database has ten tables. The second number is with classic histograms, which have a series for each bucket; the first with native ones, which Prometheus stores as one.',
      [
        '| metric | label sets | series |',
        '| --- | ---: | ---: |',
        ...rows.map(({ name, labelSets, series }) => `| \`${name}\` | ${labelSets} | ${series} |`),
        `| **all** | **${total('labelSets')}** | **${total('series')}** |`,
      ].join('\n'),
    ].join('\n\n') + '\n'
  );
}
