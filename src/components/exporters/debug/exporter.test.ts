import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { debugConfig } from './config.ts';
import { debugExporter } from './factory.ts';
import { spansBatch } from '../../../../tests/support/components/batches.ts';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';

const batch = spansBatch(['a', 'b']);

function debug(config: unknown) {
  const { settings, lines } = componentSettings('exporter', 'debug');
  return { exporter: debugExporter.create(settings, v.parse(debugConfig, config)), lines };
}

describe('debug', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('accepts the queue of the stock exporter without effect', () => {
    const sending_queue = { enabled: true, queue_size: 10 };
    expect(v.safeParse(debugConfig, { sending_queue }).issues).toBeUndefined();
  });

  it('logs one line a batch, with its counts alone', async () => {
    const { exporter, lines } = debug(undefined);
    await exporter.consume(batch);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ msg: 'Telemetry', signal: 'traces', items: 2, sizeBytes: batch.sizeBytes });
    expect(lines[0]).not.toHaveProperty('names');
  });

  it('adds the names with normal, and the content with detailed', async () => {
    const [normal, detailed] = [debug({ verbosity: 'normal' }), debug({ verbosity: 'detailed' })];
    await normal.exporter.consume(batch);
    await detailed.exporter.consume(batch);
    expect(normal.lines[0]).toMatchObject({ names: ['a', 'b'] });
    expect(detailed.lines[0]).toMatchObject({ requests: [{ resource_spans: [{ schema_url: 'schema' }] }] });
  });

  it('logs the first batches of each second and then every so many-th', async () => {
    const { exporter, lines } = debug({ sampling_initial: 2, sampling_thereafter: 3 });
    const send = async (count: number): Promise<number> => {
      const before = lines.length;
      for (let i = 0; i < count; i++) await exporter.consume(batch);
      return lines.length - before;
    };
    vi.advanceTimersByTime(5000);
    expect([await send(2), await send(2), await send(1), await send(3)]).toEqual([2, 0, 1, 1]);
    vi.advanceTimersByTime(999);
    expect(await send(2)).toBe(0);
    vi.advanceTimersByTime(1);
    expect(await send(4)).toBe(2);
  });
});
