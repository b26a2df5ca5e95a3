/** The way from a graph to a trace, with everything as it is shipped. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { load } from 'js-yaml';
import { startSentrySink, type SentrySink } from '../../examples/sentry-sink/sentry-sink.ts';
import { PrometheusSource } from '../../src/console/prometheus-source.ts';
import type { Trace } from '../../src/engine/stored-telemetry.ts';
import { MonitoredDemo } from '../support/dashboards/monitored-demo.ts';
import { dotsOn, eachPanel } from '../support/dashboards/panel-data.ts';
import { startTestPostgres } from '../support/postgres/test-postgres.ts';
import { projectRoot } from '../support/processes/demo-process.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { PrometheusServer, prometheusMissing, type ExemplarSeries } from '../support/prometheus/prometheus-server.ts';
import { waitFor } from '../support/wait-for.ts';

/** Asks itself, four requests at a time, until its input ends. */
const SERVICE = `
  import express from 'express';
  import pg from 'pg';
  import { metrics } from '@opentelemetry/api';
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 2 });
  const orders = metrics.getMeter('shop').createCounter('orders');
  const app = express();
  app.get('/orders/:id', async (request, response) => {
    await pool.query('select pg_sleep($1)', [Math.random() / 20]);
    orders.add(1);
    response.send(request.params.id);
  });
  let isOver = false;
  process.stdin.resume().on('end', () => (isOver = true));
  const server = app.listen(0, '127.0.0.1', async () => {
    const url = 'http://127.0.0.1:' + server.address().port + '/orders/';
    const client = async (id) => {
      while (!isOver) await (await fetch(url + id)).text();
    };
    await Promise.all(Array.from({ length: 4 }, (_, id) => client(id)));
    await pool.end();
    server.close();
    server.closeAllConnections();
  });
`;

const METRICS = [
  'http_server_request_duration_seconds_bucket',
  'http_client_request_duration_seconds_bucket',
  'db_client_operation_duration_seconds_bucket',
  'orders_total',
];

it.skipIf(prometheusMissing)(
  'leads from each exemplar in Prometheus to a span in Sentry and in the store',
  async () => {
    await using postgres = await startTestPostgres({ schema: false });
    await using sink = await startSentrySink();
    await using sidecar = await Sidecar.start({ environment: { SENTRY_DSN: sink.dsn } });
    await using prometheus = await startShippedPrometheus(new URL(sidecar.url({ id: 'prometheus' })).host);
    const service = spawn(
      process.execPath,
      ['--import', 'siphon-otel/preload', '--input-type=module', '--eval', SERVICE],
      {
        cwd: projectRoot,
        env: {
          PATH: process.env['PATH'],
          DATABASE_URL: postgres.url,
          OTEL_SERVICE_NAME: 'shop',
          OTEL_EXPORTER_OTLP_ENDPOINT: sidecar.otlpHttp,
          OTEL_METRIC_EXPORT_INTERVAL: '500',
          OTEL_BSP_SCHEDULE_DELAY: '100',
          OTEL_BSP_MAX_QUEUE_SIZE: '100000',
        },
        stdio: ['pipe', 'inherit', 'inherit'],
      },
    );
    const exited = once(service, 'exit');
    const found = new Map<string, readonly ExemplarSeries[]>();
    try {
      for (const metric of METRICS) {
        await waitFor(async () => ((await prometheus.exemplars(metric))[0]?.exemplars.length ?? 0) > 0, {
          what: `exemplars of ${metric}`,
        });
      }
    } finally {
      service.stdin?.end();
    }
    expect(await exited).toEqual([0, null]);
    const own = await (await fetch(`${prometheus.url}/metrics`)).text();
    expect(own).toMatch(/^prometheus_target_scrapes_exemplar_out_of_order_total 0$/m);
    expect(await prometheus.query('{__name__=~".+_created"}'), 'start times as series').toEqual([]);
    for (const metric of METRICS) found.set(metric, await prometheus.exemplars(metric));

    for (const [metric, series] of found) {
      const links = series.flatMap(({ exemplars }) => exemplars.map(({ labels }) => linkOf(labels)));
      expect(links, metric).not.toEqual([]);
      await waitFor(() => links.every((link) => spansIn(sink).has(link)), { what: `the spans of ${metric} in Sentry` });
      const stored = await Promise.all(
        [...new Set(links.map(traceOf))].map(async (id) => await spansInStore(sidecar, id)),
      );
      expect(new Set(stored.flat()), `the spans of ${metric} in the store`).toEqual(
        expect.toSatisfy((known: ReadonlySet<string>) => links.every((link) => known.has(link))),
      );
    }
  },
);

/** The delay of the fault `slow_store`. */
const SLOW_S = 2.5;

it.skipIf(prometheusMissing)(
  'leads from a slow panel of the demo, and from each exemplar, to the span, the error and the log line',
  async () => {
    await using watched = await MonitoredDemo.start();
    const { demo, prometheus } = watched;
    const { store } = demo.ports;
    await demo.setFault('slow_store', true);
    const dots = await waitFor(async () => await slowDots(prometheus), { what: 'a slow dot', timeoutMs: 60_000 });
    // The shops fail now and then.
    await waitFor(async () => (await failuresOf(tracesOf(await allLinks(prometheus)), store)).length > 0, {
      what: 'an exemplar of a failed run',
      timeoutMs: 60_000,
    });
    await demo.setFault('slow_store', false);

    // Runs that exemplars refer to may still be in progress: their spans arrive when they end.
    const links = await allLinks(prometheus);
    expect(dots.filter((dot) => !links.has(dot))).toEqual([]);
    let missing: readonly string[] = [];
    await waitFor(() => (missing = [...links].filter((link) => !spansIn(demo.sink).has(link))).length === 0, {
      what: 'the span of each exemplar in Sentry',
      timeoutMs: 60_000,
    }).catch((cause: unknown) => {
      throw new Error(`not in Sentry, of ${links.size}: ${missing.join(', ')}`, { cause });
    });
    const traces = await Promise.all(tracesOf(links).map(async (id) => await traceIn(store, id)));
    const stored = new Set(traces.flatMap(({ spans }) => spans.map(linkOfSpan)));
    expect([...links].filter((link) => !stored.has(link))).toEqual([]);

    const failures = traces.flatMap(failuresIn);
    expect(failures).not.toEqual([]);
    for (const { traceId, message, lines } of failures) {
      expect(lines, `the lines of ${traceId}`).toContain(message);
      await waitFor(() => errorsIn(demo.sink, traceId).includes(message), {
        what: `the error of ${traceId} in Sentry`,
      });
    }
  },
);

/** The shipped job, for this target and with short intervals. */
async function startShippedPrometheus(target: string): Promise<PrometheusServer> {
  const { scrape_configs: jobs } = load(await readFile('deploy/prometheus/prometheus.yaml', 'utf8')) as {
    readonly scrape_configs: readonly { readonly job_name: string }[];
  };
  const services = jobs.find(({ job_name: name }) => name === 'services');
  return await PrometheusServer.startWith({
    global: { scrape_interval: '500ms', scrape_timeout: '500ms' },
    scrape_configs: [{ ...services, static_configs: [{ targets: [target] }] }],
  });
}

function linkOf({ trace_id: trace, span_id: span }: { readonly trace_id?: string; readonly span_id?: string }): string {
  return `${trace} ${span}`;
}

function traceOf(link: string): string {
  return link.slice(0, link.indexOf(' '));
}

async function spansInStore(sidecar: Sidecar, traceId: string): Promise<string[]> {
  const { port } = new URL(sidecar.url({ id: 'telemetry_store' }));
  return (await traceIn(Number(port), traceId)).spans.map(linkOfSpan);
}

/** A trace that the store does not have is empty. */
async function traceIn(port: number, traceId: string): Promise<Pick<Trace, 'traceId' | 'spans' | 'logs'>> {
  const response = await fetch(`http://127.0.0.1:${port}/api/traces/${traceId}`);
  return response.ok ? ((await response.json()) as Trace) : { traceId, spans: [], logs: [] };
}

function linkOfSpan({ traceId, spanId }: Trace['spans'][number]): string {
  return linkOf({ trace_id: traceId, span_id: spanId });
}

/** The dots of the panel that lead to slow requests; undefined without one. */
async function slowDots({ url }: PrometheusServer): Promise<readonly string[] | undefined> {
  const place = eachPanel.find(({ panel: { title } }) => title === 'Latency of the shops')!;
  const dots = await dotsOn(new PrometheusSource(url), place, { range: '15m' });
  const slow = dots.filter(({ value }) => value >= SLOW_S);
  return slow.length > 0 ? slow.map(({ labels }) => linkOf(labels)) : undefined;
}

/** The spans that the exemplars of all series refer to. */
async function allLinks(prometheus: PrometheusServer): Promise<ReadonlySet<string>> {
  const series = await prometheus.exemplars('{__name__=~".+"}');
  return new Set(series.flatMap(({ exemplars }) => exemplars.map(({ labels }) => linkOf(labels))));
}

function tracesOf(links: ReadonlySet<string>): readonly string[] {
  return [...new Set([...links].map(traceOf))];
}

interface Failure {
  readonly traceId: string;
  /** The message of an exception on a span. */
  readonly message: string;
  /** The messages of the exceptions in the log lines of the trace. */
  readonly lines: readonly string[];
}

async function failuresOf(traceIds: readonly string[], port: number): Promise<readonly Failure[]> {
  return (await Promise.all(traceIds.map(async (id) => failuresIn(await traceIn(port, id))))).flat();
}

function failuresIn({ traceId, spans, logs }: Pick<Trace, 'traceId' | 'spans' | 'logs'>): readonly Failure[] {
  const exceptions = spans.flatMap(({ events }) => events.filter(({ name }) => name === 'exception'));
  const lines = logs.map(messageIn);
  return exceptions.map((exception) => ({ traceId, message: messageIn(exception), lines }));
}

function messageIn({ attributes }: Pick<Trace['logs'][number], 'attributes'>): string {
  return String(attributes['exception.message']);
}

function errorsIn(sink: SentrySink, traceId: string): readonly string[] {
  const errors = sink.errors().filter(({ contexts }) => contexts?.trace?.trace_id === traceId);
  return errors.flatMap(({ exception }) => exception.values.map(({ value }) => value));
}

function spansIn(sink: SentrySink): ReadonlySet<string> {
  const transactions = sink.transactions().flatMap(({ contexts, spans }) => [contexts.trace, ...spans]);
  return new Set([...transactions, ...sink.spans()].map((span) => linkOf(span)));
}
