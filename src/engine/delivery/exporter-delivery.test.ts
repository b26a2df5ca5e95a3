import { describe, expect, it } from 'vitest';
import type { DeliverySettings } from '../component.ts';
import { ExporterDelivery } from './exporter-delivery.ts';
import { spansBatch } from '../../../tests/support/components/batches.ts';
import { componentSettings } from '../../../tests/support/components/component-settings.ts';
import { SinkExporter } from '../../../tests/support/components/sink-exporter.ts';

const batch = spansBatch(['a', 'b', 'c']);
const queue = { numConsumers: 1, queueSize: 2, sizer: 'requests', blockOnOverflow: false } as const;

/** An exporter whose backend takes nothing until `answer`. */
function delivering(settings: DeliverySettings) {
  const { settings: own, lines, balance, page } = componentSettings('exporter', 'sink');
  const sink = new SinkExporter();
  const { promise, resolve } = Promise.withResolvers<void>();
  sink.answer = () => promise;
  return { delivery: new ExporterDelivery(sink, settings, own), sink, answer: resolve, lines, balance, page };
}

describe('an exporter with a sending queue', () => {
  it('counts what a full queue refuses, and shows how full it is', async () => {
    const { delivery, answer, balance, page } = delivering({ queue });
    expect(await page()).toContain('otelcol_exporter_enqueue_failed_spans{exporter="sink"} 0\n');
    await delivery.consume(batch);
    await delivery.consume(batch);
    await expect(delivery.consume(batch)).rejects.toMatchObject({ code: 'queue_full' });
    expect(balance()).toEqual({ accepted: 6, delivered: 0, waiting: 6, dropped: {}, difference: 0 });
    const full = await page();
    expect(full).toContain('otelcol_exporter_enqueue_failed_spans{exporter="sink"} 3\n');
    expect(full).toContain('otelcol_exporter_queue_size{exporter="sink",data_type="traces"} 2\n');
    expect(full).toContain('otelcol_exporter_queue_capacity{exporter="sink",data_type="traces"} 2\n');
    const dropped = 'siphon_dropped_items{exporter="sink",otel_signal="traces",reason=';
    expect(full).toContain(`${dropped}"network_error"} 0\n`);
    expect(full).not.toMatch(/^siphon_dropped_items\{.*[1-9]$/m);
    answer();
    await delivery.shutdown(AbortSignal.timeout(1000));
    expect(balance()).toEqual({ accepted: 6, delivered: 6, waiting: 0, dropped: {}, difference: 0 });
    const empty = await page();
    expect(empty).toContain('otelcol_exporter_queue_size{exporter="sink",data_type="traces"} 0\n');
    expect(empty).toContain('otelcol_exporter_sent_spans{exporter="sink"} 6\n');
  });

  it('counts what a hanging backend leaves behind as dropped, and logs that once', async () => {
    const { delivery, sink, answer, lines, balance, page } = delivering({ queue });
    sink.shutdown = async () => await new Promise<void>(() => undefined);
    await delivery.consume(batch);
    await delivery.consume(batch);
    void delivery.shutdown(AbortSignal.timeout(20));
    await expect.poll(page, { timeout: 2000 }).toContain('otel_signal="traces",reason="shutdown"} 6\n');
    expect(lines.map(({ msg }) => msg)).toEqual(['Telemetry is dropped']);
    const lost = { accepted: 6, delivered: 0, waiting: 0, dropped: { shutdown: 6 }, difference: 0 };
    expect(balance()).toEqual(lost);
    // The item in flight arrives after it was counted as lost.
    answer();
    await new Promise(setImmediate);
    expect(balance()).toEqual(lost);
    expect(await page()).toContain('otelcol_exporter_sent_spans{exporter="sink"} 0\n');
  });

  it('without a queue hands every answer to who sent', async () => {
    const { delivery, sink, page } = delivering({});
    sink.answer = () => {
      throw new TypeError('a defect');
    };
    await expect(delivery.consume(batch)).rejects.toThrow('a defect');
    expect(await page()).toContain('otelcol_exporter_send_failed_spans{exporter="sink"} 3\n');
    await delivery.shutdown(AbortSignal.timeout(1000));
  });
});
