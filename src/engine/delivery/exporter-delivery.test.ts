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
  const { settings: own, lines, page } = componentSettings('exporter', 'sink');
  const sink = new SinkExporter();
  const { promise, resolve } = Promise.withResolvers<void>();
  sink.answer = () => promise;
  return { delivery: new ExporterDelivery(sink, settings, own), sink, answer: resolve, lines, page };
}

describe('an exporter with a sending queue', () => {
  it('counts what a full queue refuses, and shows how full it is', async () => {
    const { delivery, answer, page } = delivering({ queue });
    expect(await page()).toContain('otelcol_exporter_enqueue_failed_spans{exporter="sink"} 0\n');
    await delivery.consume(batch);
    await delivery.consume(batch);
    await expect(delivery.consume(batch)).rejects.toMatchObject({ code: 'queue_full' });
    const full = await page();
    expect(full).toContain('otelcol_exporter_enqueue_failed_spans{exporter="sink"} 3\n');
    expect(full).toContain('otelcol_exporter_queue_size{exporter="sink",data_type="traces"} 2\n');
    expect(full).toContain('otelcol_exporter_queue_capacity{exporter="sink",data_type="traces"} 2\n');
    const dropped = 'siphon_dropped_items{exporter="sink",otel_signal="traces",reason=';
    expect(full).toContain(`${dropped}"network_error"} 0\n`);
    expect(full).not.toMatch(/^siphon_dropped_items\{.*[1-9]$/m);
    answer();
    await delivery.shutdown(AbortSignal.timeout(1000));
    const empty = await page();
    expect(empty).toContain('otelcol_exporter_queue_size{exporter="sink",data_type="traces"} 0\n');
    expect(empty).toContain('otelcol_exporter_sent_spans{exporter="sink"} 6\n');
  });

  it('counts what a hanging backend leaves behind as dropped, and logs that once', async () => {
    const { delivery, sink, lines, page } = delivering({ queue });
    sink.shutdown = async () => await new Promise<void>(() => undefined);
    await delivery.consume(batch);
    await delivery.consume(batch);
    void delivery.shutdown(AbortSignal.timeout(20));
    await expect.poll(page, { timeout: 2000 }).toContain('otel_signal="traces",reason="shutdown"} 6\n');
    expect(lines.map(({ msg }) => msg)).toEqual(['Telemetry is dropped']);
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
