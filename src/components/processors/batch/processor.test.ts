import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import type { Consumer } from '../../../engine/component.ts';
import { RetryableError } from '../../../engine/errors.ts';
import { readSpans } from '../../../engine/otlp/span-reader.ts';
import { batchConfig } from './config.ts';
import { batchProcessor } from './factory.ts';
import { hostWith } from '../../../../tests/support/components/host-with.ts';
import { spansBatch } from '../../../../tests/support/components/batches.ts';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';
import { BlockingConsumer } from '../../../../tests/support/components/blocking-consumer.ts';
import { SinkExporter } from '../../../../tests/support/components/sink-exporter.ts';

const HOUR = 3_600_000;
const three = spansBatch(['a', 'b', 'c']);
const soon = (): AbortSignal => AbortSignal.timeout(1000);

function batchInto(next: Consumer, keys: { readonly size?: number; readonly timeout?: number; readonly max?: number }) {
  const { settings, lines, page } = componentSettings('processor', 'batch');
  const config = {
    send_batch_size: keys.size ?? 6,
    timeout: keys.timeout ?? HOUR,
    send_batch_max_size: keys.max ?? 0,
    metadata_keys: [],
  };
  return { batch: batchProcessor.create(settings, config, next), lines, page };
}

describe('batch', () => {
  it('sends as soon as the size is reached, in the order of arrival, without copying', async () => {
    const sink = new SinkExporter();
    const { batch, page } = batchInto(sink, {});
    await batch.consume(three);
    expect(sink.batches).toEqual([]);
    await batch.consume(spansBatch(['d', 'e', 'f', 'g']));
    await expect.poll(() => sink.batches.map(({ itemCount }) => itemCount)).toEqual([7]);
    expect(sink.batches[0]?.chunks[0]).toBe(three.chunks[0]);
    expect(await page()).toContain('otelcol_processor_batch_batch_size_trigger_send{processor="batch"} 1\n');
    await batch.shutdown(soon());
  });

  it('sends what it has when the time is over, whatever its size', async () => {
    const sink = new SinkExporter();
    const { batch, page } = batchInto(sink, { timeout: 20 });
    expect(await page()).toContain('otelcol_processor_batch_timeout_trigger_send{processor="batch"} 0\n');
    await batch.consume(three);
    await expect.poll(() => sink.items).toBe(3);
    expect(await page()).toContain('otelcol_processor_batch_timeout_trigger_send{processor="batch"} 1\n');
    expect(await page()).toContain('otelcol_processor_batch_batch_send_size_sum{processor="batch"} 3\n');
    await batch.shutdown(soon());
  });

  it.each([
    ['timeout: 0', { timeout: 0 }],
    ['send_batch_size: 0', { size: 0 }],
  ])('holds nothing back with %s', async (_name, keys) => {
    const sink = new SinkExporter();
    const { batch } = batchInto(sink, keys);
    await batch.consume(three);
    await expect.poll(() => sink.items).toBe(3);
    await batch.shutdown(soon());
  });

  it('cuts what is larger than the maximum', async () => {
    const sink = new SinkExporter();
    const { batch } = batchInto(sink, { max: 6 });
    await batch.consume(spansBatch(Array.from({ length: 14 }, (_, i) => `s${i}`)));
    await expect.poll(() => sink.batches.map(({ itemCount }) => itemCount)).toEqual([6, 6]);
    await batch.shutdown(soon());
    expect(sink.batches.map(({ itemCount }) => itemCount)).toEqual([6, 6, 2]);
  });

  it('keeps what is left of a large batch for the next one, in order', async () => {
    const sink = new SinkExporter();
    const { batch, page } = batchInto(sink, { size: 4, max: 6 });
    const names = Array.from({ length: 16 }, (_, i) => `s${i}`);
    await batch.consume(spansBatch(names.slice(0, 14)));
    await expect.poll(() => sink.items).toBe(12);
    await batch.consume(spansBatch(names.slice(14)));
    await expect.poll(() => sink.batches.map(({ itemCount }) => itemCount)).toEqual([6, 6, 4]);
    const spans = sink.batches.flatMap(({ chunks }) => chunks.flatMap((chunk) => [...readSpans(chunk)]));
    expect(spans.map(({ name }) => name)).toEqual(names);
    expect(await page()).toContain('otelcol_processor_batch_batch_size_trigger_send{processor="batch"} 3\n');
    await batch.shutdown(soon());
  });

  it('sends what is left of a large batch when the time is over', async () => {
    const sink = new SinkExporter();
    const { batch } = batchInto(sink, { size: 6, max: 6, timeout: 20 });
    await batch.consume(spansBatch(Array.from({ length: 8 }, (_, i) => `s${i}`)));
    await expect.poll(() => sink.batches.map(({ itemCount }) => itemCount)).toEqual([6, 2]);
    await batch.shutdown(soon());
  });

  it('sends what came while another batch was being sent, if its time is over then', async () => {
    const consumer = new BlockingConsumer();
    const { batch } = batchInto(consumer, { timeout: 10 });
    await batch.consume(three);
    await expect.poll(() => consumer.received.length).toBe(1);
    await batch.consume(three);
    await sleep(50);
    consumer.open();
    await expect.poll(() => consumer.accepted.length).toBe(2);
    await batch.shutdown(soon());
  });

  it('makes senders wait while one batch is being sent and the next one is full', async () => {
    const consumer = new BlockingConsumer();
    const { batch } = batchInto(consumer, { size: 3 });
    await batch.consume(three);
    await batch.consume(three);
    let accepted = false;
    const waiting = batch.consume(three).then(() => (accepted = true));
    await sleep(20);
    expect(accepted).toBe(false);
    consumer.open();
    await waiting;
    await batch.shutdown(soon());
    expect(consumer.accepted.reduce((sum, { itemCount }) => sum + itemCount, 0)).toBe(9);
  });

  it('accepts the keys for request headers without effect, and lists them in the log', async () => {
    const { settings, lines } = componentSettings('processor', 'batch');
    const config = v.parse(batchConfig, { metadata_keys: ['tenant'], metadata_cardinality_limit: 10 });
    const batch = batchProcessor.create(settings, config, new SinkExporter());
    await batch.start(hostWith());
    expect(lines).toMatchObject([{ keys: ['metadata_keys', 'metadata_cardinality_limit'] }]);
    await batch.shutdown(soon());
  });

  it('counts refused batches by reason, and logs them once', async () => {
    const sink = new SinkExporter();
    sink.answer = () => {
      throw new RetryableError('queue_full', 'no room');
    };
    const { batch, lines, page } = batchInto(sink, { size: 3 });
    for (let i = 0; i < 3; i++) {
      await batch.consume(three);
      await expect.poll(() => sink.attempts).toBe(i + 1);
    }
    await batch.shutdown(soon());
    expect(await page()).toContain('{processor="batch",otel_signal="traces",reason="queue_full"} 9\n');
    expect(lines.map(({ msg }) => msg)).toEqual(['Batches are dropped because the next component refuses them']);
  });

  it('counts what the deadline leaves behind once, that being sent included', async () => {
    const consumer = new BlockingConsumer();
    const { batch, page } = batchInto(consumer, { size: 6, max: 6 });
    await batch.consume(spansBatch(Array.from({ length: 10 }, (_, i) => `s${i}`)));
    await batch.consume(three);
    await batch.shutdown(AbortSignal.timeout(20));
    expect(consumer.received.map(({ itemCount }) => itemCount)).toEqual([6]);
    const dropped = 'siphon_dropped_items{processor="batch",otel_signal="traces",reason="shutdown"} 13\n';
    expect(await page()).toContain(dropped);

    consumer.fail(new RetryableError('queue_full', 'no room'));
    await sleep(20);
    expect((await page()).match(/^siphon_dropped_items.*[^ ][0-9]$/gm)?.map((line) => `${line}\n`)).toEqual([dropped]);
    expect(consumer.received).toHaveLength(1);
    await expect(batch.consume(three)).rejects.toMatchObject({ code: 'shutdown' });
  });
});
