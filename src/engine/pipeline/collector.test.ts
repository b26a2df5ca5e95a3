import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import type { CollectorConfig } from '../collector-config.ts';
import { PermanentError, RetryableError } from '../errors.ts';
import { Collector } from './collector.ts';
import { batchConfig } from '../../components/processors/batch/config.ts';
import { batchProcessor } from '../../components/processors/batch/factory.ts';
import { bearerTokenAuthConfig } from '../../components/extensions/bearer-token-auth/config.ts';
import { bearerTokenAuthExtension } from '../../components/extensions/bearer-token-auth/factory.ts';
import { healthCheckConfig } from '../../components/extensions/health-check/config.ts';
import { healthCheckExtension } from '../../components/extensions/health-check/factory.ts';
import { spansBatch } from '../../../tests/support/components/batches.ts';
import { collectorConfig } from '../../../tests/support/components/collector-config.ts';
import { ManualReceiver } from '../../../tests/support/components/manual-receiver.ts';
import { logLines } from '../../../tests/support/components/log-lines.ts';
import { SinkExporter, sinkFactory } from '../../../tests/support/components/sink-exporter.ts';

const soon = (): AbortSignal => AbortSignal.timeout(2000);
const batch = spansBatch(['a', 'b', 'c']);
const queue = { numConsumers: 1, queueSize: 10, sizer: 'requests', blockOnOverflow: false } as const;
const retry = {
  initialIntervalMs: 1,
  maxIntervalMs: 5,
  maxElapsedTimeMs: 0,
  multiplier: 1.5,
  randomizationFactor: 0.5,
};

function collect(config: CollectorConfig) {
  const { logger, lines } = logLines();
  const collector = new Collector(config, { version: '1.2.3', logger });
  const endpoint = (id: string) =>
    `http://${String(lines.find((line) => line['id'] === id && line['msg'] === 'Listening')?.['endpoint'])}`;
  const page = async () => await (await fetch(`${endpoint('metrics')}/metrics`)).text();
  return { collector, lines, page, endpoint };
}

describe('Collector', () => {
  it('returns a running extension in its role only', async () => {
    const { collector } = collect(
      collectorConfig({
        factories: {
          manual: new ManualReceiver().factory,
          sink: sinkFactory(new SinkExporter()),
          auth: bearerTokenAuthExtension,
        },
        configs: { auth: v.parse(bearerTokenAuthConfig, { token: 'secret' }) },
        pipelines: { traces: {} },
        extensions: ['auth'],
      }),
    );
    await collector.start();
    const authenticator = collector.extension({ id: 'auth', role: 'authenticator' });
    expect(await authenticator.authenticate(() => 'Bearer secret')).toBe(true);
    expect(() => collector.extension({ id: 'auth', role: 'storage' })).toThrow('auth cannot be used as storage');
    expect(() => collector.extension({ id: 'oidc', role: 'authenticator' })).toThrow('oidc is not running');
    await collector.shutdown(soon());
  });

  it('gives every exporter each batch, even when one of them fails', async () => {
    const manual = new ManualReceiver();
    const [bad, good] = [new SinkExporter(), new SinkExporter()];
    bad.answer = () => {
      throw new PermanentError('http_4xx', 'no');
    };
    const config = collectorConfig({
      factories: { manual: manual.factory, bad: sinkFactory(bad), good: sinkFactory(good) },
      pipelines: { traces: { exporters: ['bad', 'good'] } },
    });
    const { collector } = collect(config);
    await collector.start();
    await expect(manual.send(batch)).rejects.toThrow(PermanentError);
    expect(good.batches).toEqual([batch]);
    expect(good.batches[0]).toBe(batch);
    await collector.shutdown(soon());
  });

  it('starts exporters before receivers, stops them after, and is ok only between them', async () => {
    const events: string[] = [];
    const manual = new ManualReceiver((event) => events.push(`receiver ${event}`));
    const sink = new SinkExporter((event) => events.push(`exporter ${event}`));
    const factories = { manual: manual.factory, sink: sinkFactory(sink) };
    const { collector } = collect(collectorConfig({ factories, pipelines: { traces: {} } }));
    expect(collector.status()).toBe('starting');
    await collector.start();
    expect(collector.status()).toBe('ok');
    await collector.shutdown(soon());
    await collector.shutdown(soon());
    expect(collector.status()).toBe('stopping');
    expect(events).toEqual(['exporter start', 'receiver start', 'receiver shutdown', 'exporter shutdown']);
  });

  it('is not ok while a component has refused telemetry for more than two minutes', async () => {
    const sink = new SinkExporter();
    const factories = { manual: new ManualReceiver().factory, sink: sinkFactory(sink) };
    const { collector } = collect(collectorConfig({ factories, pipelines: { traces: {} } }));
    await collector.start();
    collector.reportRefusing(sink, performance.now() - 119_000);
    expect(collector.status()).toBe('ok');
    collector.reportRefusing(sink, performance.now() - 121_000);
    expect(collector.status()).toBe('refusing');
    collector.reportRefusing(sink, undefined);
    expect(collector.status()).toBe('ok');
    await collector.shutdown(soon());
  });

  it('builds only what a pipeline uses', async () => {
    const events: string[] = [];
    const unused = new SinkExporter((event) => events.push(event));
    const factories = {
      manual: new ManualReceiver().factory,
      sink: sinkFactory(new SinkExporter()),
      unused: sinkFactory(unused),
    };
    const { collector } = collect(collectorConfig({ factories, pipelines: { traces: {} } }));
    await collector.start();
    await collector.shutdown(soon());
    expect(events).toEqual([]);
  });

  it('names the component that does not start, and shuts down what had started', async () => {
    const events: string[] = [];
    const manual = new ManualReceiver(undefined, new Error('127.0.0.1:4318 is already in use'));
    const sink = new SinkExporter((event) => events.push(event));
    const factories = { manual: manual.factory, sink: sinkFactory(sink) };
    const { collector } = collect(collectorConfig({ factories, pipelines: { traces: {} } }));
    await expect(collector.start()).rejects.toThrow('receivers::manual: 127.0.0.1:4318 is already in use');
    expect(events).toEqual(['start', 'shutdown']);
  });

  it('loses nothing that batch and queue hold when it is shut down while the backend fails at first', async () => {
    const manual = new ManualReceiver();
    const sink = new SinkExporter();
    sink.answer = (attempt) => {
      if (attempt < 3) throw new RetryableError('network_error', 'not now');
    };
    const config = collectorConfig({
      factories: { manual: manual.factory, batch: batchProcessor, sink: sinkFactory(sink, { queue, retry }) },
      configs: { batch: v.parse(batchConfig, { timeout: '1h' }) },
      pipelines: { traces: { processors: ['batch'] } },
    });
    const { collector, lines } = collect(config);
    await collector.start();
    await manual.send(batch);
    await manual.send(batch);
    expect(sink.items).toBe(0);
    await collector.shutdown(soon());
    expect(sink.items).toBe(6);
    const delivered = { accepted: 6, delivered: 6, waiting: 0, dropped: {}, difference: 0 };
    expect(lines.at(-1)).toMatchObject({
      msg: 'Shutdown is complete',
      lost: [],
      ledger: [
        { account: 'exporters::sink', signal: 'traces', ...delivered },
        { account: 'pipelines::traces', signal: 'traces', ...delivered },
      ],
    });
  });

  it('logs once what the end of a shutdown loses, by reason', async () => {
    const manual = new ManualReceiver();
    const sink = new SinkExporter();
    sink.answer = () => Promise.reject(new RetryableError('network_error', 'away'));
    const config = collectorConfig({
      factories: { manual: manual.factory, sink: sinkFactory(sink, { queue, retry }) },
      pipelines: { traces: {} },
    });
    const { collector, lines } = collect(config);
    await collector.start();
    await manual.send(batch);
    await collector.shutdown(AbortSignal.timeout(20));
    expect(lines.at(-1)).toMatchObject({
      msg: 'Shutdown is complete',
      lost: [{ account: 'exporters::sink', signal: 'traces', reason: 'shutdown', items: 3 }],
    });
  });

  it('counts under the stock names, from 0, and drops by their reason', async () => {
    const manual = new ManualReceiver();
    const sink = new SinkExporter();
    const config = collectorConfig({
      factories: { manual: manual.factory, sink: sinkFactory(sink, { queue, retry }) },
      pipelines: { traces: {}, metrics: {} },
      metricsPort: 0,
    });
    const { collector, page } = collect(config);
    await collector.start();
    const before = await page();
    expect(before).toContain('# TYPE otelcol_receiver_accepted_spans counter\n');
    expect(before).toContain('otelcol_receiver_refused_metric_points{receiver="manual",transport="http"} 0\n');
    expect(before).toContain('otelcol_exporter_queue_capacity{exporter="sink",data_type="traces"} 10\n');
    expect(before).toMatch(/^otelcol_process_memory_rss \d{7,}$/m);
    expect(before).not.toMatch(/_total[ {]/);

    await manual.send(batch);
    sink.answer = () => {
      throw new PermanentError('http_4xx', 'no');
    };
    await manual.send(batch);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const after = await page();
    expect(after).toContain('siphon_ledger_accepted_items{account="exporters::sink",otel_signal="traces"} 6\n');
    expect(after).toContain('siphon_ledger_delivered_items{account="exporters::sink",otel_signal="traces"} 3\n');
    expect(after).toContain(
      'siphon_ledger_dropped_items{account="exporters::sink",otel_signal="traces",reason="http_4xx"} 3\n',
    );
    expect(after).not.toMatch(/^siphon_ledger_difference_items\{.*\} [^0]/m);
    expect(after).toContain('otelcol_receiver_accepted_spans{receiver="manual",transport="http"} 6\n');
    expect(after).toContain('otelcol_exporter_sent_spans{exporter="sink"} 3\n');
    expect(after).toContain('otelcol_exporter_send_failed_spans{exporter="sink"} 3\n');
    expect(after).toContain('siphon_dropped_items{exporter="sink",otel_signal="traces",reason="http_4xx"} 3\n');
    await collector.shutdown(soon());
  });

  it('answers health checks with 200 while everything runs', async () => {
    const config = collectorConfig({
      factories: {
        manual: new ManualReceiver().factory,
        sink: sinkFactory(new SinkExporter()),
        health_check: healthCheckExtension,
      },
      configs: { health_check: v.parse(healthCheckConfig, { endpoint: '127.0.0.1:0' }) },
      extensions: ['health_check'],
      pipelines: { traces: {} },
    });
    const { collector, endpoint } = collect(config);
    await collector.start();
    const response = await fetch(endpoint('health_check'));
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ status: 'Server available' });
    expect((await fetch(`${endpoint('health_check')}/other`)).status).toBe(404);
    await collector.shutdown(soon());
  });
});
