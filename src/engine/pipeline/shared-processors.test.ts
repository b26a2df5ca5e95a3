import * as v from 'valibot';
import { expect, it } from 'vitest';
import type { ProcessorFactory, TelemetryBatch } from '../component.ts';
import { Collector } from './collector.ts';
import { gaugeBatch, spansBatch } from '../../../tests/support/components/batches.ts';
import { collectorConfig } from '../../../tests/support/components/collector-config.ts';
import { logLines } from '../../../tests/support/components/log-lines.ts';
import { ManualReceiver } from '../../../tests/support/components/manual-receiver.ts';
import { SinkExporter, sinkFactory } from '../../../tests/support/components/sink-exporter.ts';

/** Each array is what the instances of one processor share: the signals that they have seen. */
function watcher(): { readonly factory: ProcessorFactory<unknown, string[]>; readonly shared: string[][] } {
  const shared: string[][] = [];
  const factory: ProcessorFactory<unknown, string[]> = {
    kind: 'processor',
    type: 'watcher',
    signals: ['traces', 'metrics'],
    stability: 'development',
    config: v.unknown(),
    share: () => {
      const seen: string[] = [];
      shared.push(seen);
      return seen;
    },
    create: (_settings, _config, next, seen) => ({
      start: async () => undefined,
      consume: async (batch: TelemetryBatch) => {
        seen?.push(batch.signal);
        return await next.consume(batch);
      },
      shutdown: async () => undefined,
    }),
  };
  return { factory, shared };
}

it('the instances of a processor share what its factory makes, also those that a reload adds or keeps', async () => {
  const manual = new ManualReceiver();
  const { factory, shared } = watcher();
  const factories = { manual: manual.factory, sink: sinkFactory(new SinkExporter()), watcher: factory };
  const config = (pipelines: Parameters<typeof collectorConfig>[0]['pipelines'], setting = 1) =>
    collectorConfig({ factories, pipelines, configs: { watcher: { setting } } });
  const [traces, metrics] = [{ traces: { processors: ['watcher'] } }, { metrics: { processors: ['watcher'] } }];
  const collector = new Collector(config(metrics), { version: '1.2.3', logger: logLines().logger });
  await collector.start();
  try {
    await manual.send(gaugeBatch([1]));
    await collector.reload(async () => config({ ...traces, ...metrics }));
    await manual.send(spansBatch(['a']));
    await manual.send(gaugeBatch([1]));
    expect(shared).toEqual([['metrics', 'traces', 'metrics']]);
    await collector.reload(async () => config({ ...traces, ...metrics }, 2));
    await manual.send(spansBatch(['a']));
    expect(shared).toEqual([['metrics', 'traces', 'metrics'], ['traces']]);
  } finally {
    await collector.shutdown(AbortSignal.timeout(2000));
  }
});
