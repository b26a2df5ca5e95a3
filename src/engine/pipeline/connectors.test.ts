import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import type { ConnectorFactory } from '../component.ts';
import { Collector } from './collector.ts';
import { gaugeBatch, spansBatch } from '../../../tests/support/components/batches.ts';
import { collectorConfig } from '../../../tests/support/components/collector-config.ts';
import { ManualReceiver } from '../../../tests/support/components/manual-receiver.ts';
import { logLines } from '../../../tests/support/components/log-lines.ts';
import { SinkExporter, sinkFactory } from '../../../tests/support/components/sink-exporter.ts';

/** Emits, for each batch of spans, one point with their number; what it has left when it is shut down, it emits then. */
function spanCounter(onEvent: (event: string) => void = () => undefined): ConnectorFactory {
  return {
    kind: 'connector',
    type: 'span_counter',
    signals: ['traces'],
    emits: ['metrics'],
    stability: 'development',
    config: v.unknown(),
    create: (_settings, _config, next) => ({
      start: async () => onEvent('connector start'),
      consume: async ({ itemCount }) => await next.consume(gaugeBatch([itemCount])),
      shutdown: async () => {
        onEvent('connector shutdown');
        await next.consume(gaugeBatch([0]));
      },
    }),
  };
}

function collectorOf(config: Parameters<typeof collectorConfig>[0]): Collector {
  return new Collector(collectorConfig(config), { version: '1.2.3', logger: logLines().logger });
}

describe('a connector', () => {
  it('ends some pipelines and begins others', async () => {
    const manual = new ManualReceiver();
    const [spans, metrics] = [new SinkExporter(), new SinkExporter()];
    const collector = collectorOf({
      factories: {
        manual: manual.factory,
        counter: spanCounter(),
        spans: sinkFactory(spans),
        metrics: sinkFactory(metrics),
      },
      pipelines: {
        traces: { exporters: ['counter', 'spans'] },
        'traces/second': { exporters: ['counter'] },
        metrics: { receivers: ['counter'], exporters: ['metrics'] },
      },
    });
    await collector.start();
    const batch = spansBatch(['a', 'b']);
    await manual.send(batch);
    expect(spans.batches).toEqual([batch]);
    expect(metrics.batches).toEqual([gaugeBatch([2]), gaugeBatch([2])]);
    await collector.shutdown(AbortSignal.timeout(1000));
    expect(metrics.batches.at(-1)).toEqual(gaugeBatch([0]));
  });

  it('starts after what it feeds and stops before it', async () => {
    const events: string[] = [];
    const note = (name: string) => (event: string) => void events.push(`${name} ${event}`);
    const collector = collectorOf({
      factories: {
        manual: new ManualReceiver(note('receiver')).factory,
        counter: spanCounter((event) => events.push(event)),
        sink: sinkFactory(new SinkExporter(note('exporter'))),
      },
      pipelines: { traces: { exporters: ['counter'] }, metrics: { receivers: ['counter'] } },
    });
    await collector.start();
    await collector.shutdown(AbortSignal.timeout(1000));
    expect(events).toEqual([
      'exporter start',
      'connector start',
      'receiver start',
      'receiver shutdown',
      'connector shutdown',
      'exporter shutdown',
    ]);
  });

  it('that feeds its own pipeline is refused, and the pipeline named', async () => {
    const loop: ConnectorFactory = { ...spanCounter(), emits: ['traces'] };
    const collector = collectorOf({
      factories: { manual: new ManualReceiver().factory, loop },
      pipelines: { traces: { receivers: ['manual', 'loop'], exporters: ['loop'] } },
    });
    await expect(collector.start()).rejects.toThrow('pipeline traces feeds itself through connectors');
  });
});
