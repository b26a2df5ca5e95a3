import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import type { ExporterFactory, Host, ReceiverFactory } from '../component.ts';
import { Collector } from './collector.ts';
import { batchProcessor } from '../../components/processors/batch/factory.ts';
import { batchConfig } from '../../components/processors/batch/config.ts';
import { bearerTokenAuthConfig } from '../../components/extensions/bearer-token-auth/config.ts';
import { bearerTokenAuthExtension } from '../../components/extensions/bearer-token-auth/factory.ts';
import { authConfig } from '../schema/extension-reference.ts';
import { spansBatch } from '../../../tests/support/components/batches.ts';
import { collectorConfig } from '../../../tests/support/components/collector-config.ts';
import { ManualReceiver } from '../../../tests/support/components/manual-receiver.ts';
import { logLines } from '../../../tests/support/components/log-lines.ts';
import { SinkExporter, sinkFactory } from '../../../tests/support/components/sink-exporter.ts';

type Config = ReturnType<typeof collectorConfig>;

const batch = spansBatch(['a', 'b', 'c']);
const settled = (): AbortSignal => AbortSignal.timeout(2000);

/** An exporter whose instances are kept, as they are created. */
function instances(delivery = {}, isExclusive = false) {
  const created: SinkExporter[] = [];
  const events: string[] = [];
  const factory: ExporterFactory = {
    ...sinkFactory(new SinkExporter(), delivery),
    isExclusive: () => isExclusive,
    create: () => {
      const number = created.length + 1;
      const sink = new SinkExporter((event) => events.push(`${event} ${number}`));
      created.push(sink);
      return sink;
    },
  };
  return { created, events, factory };
}

async function running(config: Config) {
  const { logger, lines } = logLines();
  const collector = new Collector(config, { version: '1.2.3', logger, drainTimeoutMs: 2000 });
  await collector.start();
  const page = async () => {
    const { endpoint } = lines.find(({ id, msg }) => id === 'metrics' && msg === 'Listening') ?? {};
    return await (await fetch(`http://${String(endpoint)}/metrics`)).text();
  };
  return {
    collector,
    lines,
    page,
    reload: async (next: Config) => await collector.reload(() => Promise.resolve(next)),
    [Symbol.asyncDispose]: async () => await collector.shutdown(settled()),
  };
}

describe('a reload', () => {
  it('replaces a component that takes something else from the rest of the configuration', async () => {
    const sinks = instances();
    const manual = new ManualReceiver();
    const config = (subject: string): Config => {
      const all = collectorConfig({ factories: { manual: manual.factory, sink: sinks.factory }, pipelines: { traces: {} } }); // prettier-ignore
      const completed = [...all.exporters].map(([id, exporter]) => [id, { ...exporter, completion: { subject } }] as const); // prettier-ignore
      return { ...all, exporters: new Map(completed) };
    };
    await using run = await running(config('shop'));
    await run.reload(config('shop'));
    expect(sinks.created).toHaveLength(1);
    await run.reload(config('coffee'));
    expect(sinks.created).toHaveLength(2);
  });

  it('keeps components whose settings are unchanged, with their connections and counters', async () => {
    const events: string[] = [];
    const manual = new ManualReceiver((event) => events.push(`${event} receiver`));
    const sinks = instances();
    const config = (timeout: string) =>
      collectorConfig({
        factories: { manual: manual.factory, sink: sinks.factory, batch: batchProcessor },
        configs: { batch: v.parse(batchConfig, { timeout, send_batch_size: 1 }) },
        pipelines: { traces: { processors: ['batch'] } },
        metricsPort: 0,
      });
    await using run = await running(config('1s'));
    await manual.send(batch);
    await run.reload(config('2s'));
    await manual.send(batch);
    await expect.poll(() => sinks.created[0]?.items).toBe(6);
    expect(sinks.created).toHaveLength(1);
    expect([...events, ...sinks.events]).toEqual(['start receiver', 'start 1']);
    const page = await run.page();
    expect(page).toMatch(/^otelcol_receiver_accepted_spans\{.*\} 6$/m);
    expect(page).toMatch(/^otelcol_processor_incoming_items\{.*\} 6$/m);
    expect(page).toMatch(/^siphon_config_reloads\{outcome="succeeded"\} 1$/m);
    expect(run.lines).toContainEqual(
      expect.objectContaining({
        msg: 'Configuration is reloaded',
        started: ['processors::batch'],
        stopped: ['processors::batch'],
      }),
    );
  });

  it('sends what a replaced processor holds', async () => {
    const manual = new ManualReceiver();
    const sinks = instances();
    const config = (timeout: string) =>
      collectorConfig({
        factories: { manual: manual.factory, sink: sinks.factory, batch: batchProcessor },
        configs: { batch: v.parse(batchConfig, { timeout }) },
        pipelines: { traces: { processors: ['batch'] } },
      });
    await using run = await running(config('1h'));
    await manual.send(batch);
    await run.reload(config('2h'));
    expect(sinks.created[0]?.items).toBe(3);
  });

  it('adds and removes pipelines and hides the metrics of removed components', async () => {
    const manual = new ManualReceiver();
    const [first, second] = [new SinkExporter(), new SinkExporter()];
    const config = (exporters: string[]) =>
      collectorConfig({
        factories: { manual: manual.factory, first: sinkFactory(first), second: sinkFactory(second) },
        pipelines: { traces: { exporters } },
        metricsPort: 0,
      });
    await using run = await running(config(['first']));
    await manual.send(batch);
    await run.reload(config(['second']));
    await manual.send(batch);
    expect([first.items, second.items]).toEqual([3, 3]);
    const page = await run.page();
    expect(page).not.toContain('exporter="first"');
    expect(page).toMatch(/^otelcol_exporter_sent_spans\{exporter="second"\} 3$/m);
    await run.reload(config(['first']));
    expect(await run.page()).toMatch(/^otelcol_exporter_sent_spans\{exporter="first"\} 3$/m);
  });

  it('starts a new exporter before the old one stops, and after it if they need the same address', async () => {
    for (const isExclusive of [false, true]) {
      const manual = new ManualReceiver();
      const sinks = instances({}, isExclusive);
      const config = (value: number) =>
        collectorConfig({
          factories: { manual: manual.factory, sink: sinks.factory },
          configs: { sink: value },
          pipelines: { traces: {} },
        });
      await using run = await running(config(1));
      await run.reload(config(2));
      await manual.send(batch);
      const [old, started] = ['shutdown 1', 'start 2'];
      expect(sinks.events).toEqual(['start 1', ...(isExclusive ? [old, started] : [started, old])]);
      expect(sinks.created[1]?.items).toBe(3);
    }
  });

  it('lets senders wait while an exclusive exporter is replaced, and loses nothing', async () => {
    const manual = new ManualReceiver();
    const sinks = instances({}, true);
    const config = (value: number) =>
      collectorConfig({
        factories: { manual: manual.factory, sink: sinks.factory },
        configs: { sink: value },
        pipelines: { traces: {} },
      });
    await using run = await running(config(0));
    let sent = 0;
    const ended = new AbortController();
    const sending = Array.from({ length: 5 }, async () => {
      while (!ended.signal.aborted) {
        await manual.send(batch);
        sent += 3;
        await new Promise(setImmediate);
      }
    });
    for (let value = 1; value <= 50; value++) await run.reload(config(value));
    ended.abort();
    await Promise.all(sending);
    expect(sinks.created).toHaveLength(51);
    expect(sinks.created.reduce((sum, { items }) => sum + items, 0)).toBe(sent);
  });

  it('restarts components that refer to a changed extension', async () => {
    const sinks = instances();
    const manual = new ManualReceiver();
    const config = (token: string, sinkAuth: string) =>
      collectorConfig({
        factories: {
          manual: manual.factory,
          sink: sinks.factory,
          auth: bearerTokenAuthExtension,
        },
        configs: {
          auth: v.parse(bearerTokenAuthConfig, { token }),
          sink: v.parse(authConfig, { authenticator: sinkAuth }),
        },
        pipelines: { traces: {} },
        extensions: ['auth'],
        written: { auth: token, sink: sinkAuth },
      });
    await using run = await running(config('one', 'auth'));
    await run.reload(config('one', 'auth'));
    expect(sinks.events).toEqual(['start 1']);
    await run.reload(config('two', 'auth'));
    expect(sinks.events).toEqual(['start 1', 'start 2', 'shutdown 1']);
  });

  it('changes nothing if the configuration cannot be read, and counts the failure', async () => {
    const manual = new ManualReceiver();
    const sinks = instances();
    const config = collectorConfig({
      factories: { manual: manual.factory, sink: sinks.factory },
      pipelines: { traces: {} },
      metricsPort: 0,
    });
    await using run = await running(config);
    await run.collector.reload(() => Promise.reject(new Error('line 3: endpoint must be host:port')));
    await manual.send(batch);
    expect(sinks.created.map(({ items }) => items)).toEqual([3]);
    expect(await run.page()).toMatch(/^siphon_config_reloads\{outcome="failed"\} 1$/m);
    expect(run.lines.at(-1)).toMatchObject({
      msg: 'Configuration is not reloaded; the old one stays in use',
      err: { message: 'line 3: endpoint must be host:port' },
    });
  });

  it('returns to the old configuration if a new component fails to start', async () => {
    const manual = new ManualReceiver();
    const sinks = instances({}, true);
    const broken: ReceiverFactory = new ManualReceiver(undefined, new Error('port is in use')).factory;
    const config = (value: number, factories = {}, receivers = ['manual']) =>
      collectorConfig({
        factories: { manual: manual.factory, sink: sinks.factory, ...factories },
        configs: { sink: value },
        pipelines: { traces: { receivers } },
        metricsPort: 0,
      });
    await using run = await running(config(1));
    await run.reload(config(2, { broken }, ['manual', 'broken']));
    await manual.send(batch);
    expect(sinks.events).toEqual(['start 1', 'shutdown 1', 'start 2', 'shutdown 2', 'start 3']);
    expect(sinks.created.at(-1)?.items).toBe(3);
    expect(await run.page()).toMatch(/^siphon_config_reloads\{outcome="failed"\} 1$/m);
    await run.reload(config(3));
    await manual.send(batch);
    expect(sinks.created.at(-1)?.items).toBe(3);
  });

  it('observes each queue once, also after many reloads', async () => {
    const manual = new ManualReceiver();
    const queue = { numConsumers: 1, queueSize: 7, sizer: 'requests', blockOnOverflow: false } as const;
    const sinks = instances({ queue });
    const config = (value: number) =>
      collectorConfig({
        factories: { manual: manual.factory, sink: sinks.factory },
        configs: { sink: value },
        pipelines: { traces: {} },
        metricsPort: 0,
      });
    await using run = await running(config(0));
    for (let value = 1; value < 5; value++) await run.reload(config(value));
    const capacities = (await run.page()).match(/^otelcol_exporter_queue_capacity\{.*$/gm);
    expect(capacities).toEqual([expect.stringMatching(/ 7$/)]);
  });

  it('keeps a receiver that follows its signals when a pipeline is added', async () => {
    const events: string[] = [];
    const manual = new ManualReceiver((event) => events.push(event));
    const [sink, logs] = [new SinkExporter(), new SinkExporter()];
    const factories = { sink: sinkFactory(sink), logs: sinkFactory(logs) };
    const config = (followsSignals: boolean, pipelines = {}) =>
      collectorConfig({
        factories: { manual: followsSignals ? following : manual.factory, ...factories },
        pipelines: { traces: {}, ...pipelines },
        metricsPort: 0,
      });
    const following: ReceiverFactory = { ...manual.factory, followsSignals: true };
    await using run = await running(config(true));
    await run.reload(config(true, { logs: { exporters: ['logs'] } }));
    await manual.send({ ...batch, signal: 'logs' });
    expect([events, logs.items]).toEqual([['start'], 3]);
    expect(await run.page()).toMatch(/^otelcol_receiver_accepted_log_records\{.*\} 3$/m);
    await run.reload(config(false));
    expect(events).toEqual(['start', 'shutdown', 'start']);
  });

  it('forgets the reports of components that it replaces', async () => {
    const sinks = instances();
    const refusing: ExporterFactory = {
      ...sinks.factory,
      create: (settings, config) => {
        const sink = sinks.factory.create(settings, config);
        const start = async (host: Host): Promise<void> => {
          if (sinks.created.length > 1) return;
          host.reportRefusing(sink, -Infinity);
          host.reportDegraded(sink, 'does not work');
        };
        return Object.assign(sink, { start });
      },
    };
    const config = (value: number) =>
      collectorConfig({
        factories: { manual: new ManualReceiver().factory, sink: refusing },
        configs: { sink: value },
        pipelines: { traces: {} },
      });
    await using run = await running(config(1));
    expect([run.collector.status(), run.collector.degraded()]).toEqual(['refusing', ['does not work']]);
    await run.reload(config(2));
    expect([run.collector.status(), run.collector.degraded()]).toEqual(['ok', []]);
  });

  it('does not begin after the shutdown', async () => {
    const sinks = instances();
    const config = collectorConfig({
      factories: { manual: new ManualReceiver().factory, sink: sinks.factory },
      pipelines: { traces: {} },
    });
    const { collector } = await running(config);
    await Promise.all([collector.shutdown(settled()), collector.reload(() => Promise.resolve(config))]);
    expect(sinks.events).toEqual(['start 1', 'shutdown 1']);
  });
});
