import { expect, it } from 'vitest';
import { RetryableError } from '../../../src/collector/errors.ts';
import { MemoryLimiterProcessor } from '../../../src/processors/memory-limiter/processor.ts';
import { softLimitBytes } from '../../../src/processors/memory-limiter/soft-limit.ts';
import { spansBatch } from '../../support/batches.ts';
import { componentSettings } from '../../support/component-settings.ts';
import { SinkExporter } from '../../support/sink-exporter.ts';

const MIB = 1024 * 1024;
const limits = {
  check_interval: 5,
  limit_mib: 100,
  spike_limit_mib: 20,
  limit_percentage: 0,
  spike_limit_percentage: 0,
};

it('refuses as retryable while memory is above the soft limit, and takes data again below it', async () => {
  const { settings, lines } = componentSettings('processor', 'memory_limiter');
  const sink = new SinkExporter();
  let usedBytes = 81 * MIB;
  const limiter = new MemoryLimiterProcessor(settings, limits, sink, () => usedBytes);
  await limiter.start();
  await expect(limiter.consume(spansBatch(['a']))).rejects.toThrow(RetryableError);
  usedBytes = 79 * MIB;
  await expect.poll(() => lines.length).toBe(2);
  await limiter.consume(spansBatch(['a']));
  expect(sink.items).toBe(1);
  await limiter.shutdown();
});

it('counts what it takes and what it refuses, from 0', async () => {
  const { settings, page } = componentSettings('processor', 'memory_limiter');
  let usedBytes = 0;
  const limiter = new MemoryLimiterProcessor(settings, limits, new SinkExporter(), () => usedBytes);
  expect(await page()).toContain('otelcol_processor_memory_limiter_accepted_spans{processor="memory_limiter"} 0\n');
  expect(await page()).toContain('otelcol_processor_memory_limiter_refused_spans{processor="memory_limiter"} 0\n');
  await limiter.consume(spansBatch(['a', 'b']));
  usedBytes = 81 * MIB;
  await limiter.start();
  await expect(limiter.consume(spansBatch(['a', 'b', 'c']))).rejects.toMatchObject({ code: 'memory_limit' });
  await limiter.shutdown();
  expect(await page()).toContain('otelcol_processor_memory_limiter_accepted_spans{processor="memory_limiter"} 2\n');
  expect(await page()).toContain('otelcol_processor_memory_limiter_refused_spans{processor="memory_limiter"} 3\n');
});

it.each([
  ['the spike limit below the limit', limits, 80],
  ['a fifth below the limit where no spike limit is given', { ...limits, spike_limit_mib: 0 }, 80],
  ['a share of what is there', { ...limits, limit_mib: 0, limit_percentage: 50, spike_limit_percentage: 25 }, 250],
])('puts the soft limit at %s', (_name, config, expectedMib) => {
  expect(softLimitBytes(config, 1000 * MIB)).toBe(expectedMib * MIB);
});
