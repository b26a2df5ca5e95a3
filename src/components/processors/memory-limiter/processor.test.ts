import { expect, it } from 'vitest';
import { RetryableError } from '../../../engine/errors.ts';

import { processMemory, type ProcessMemory } from './process-memory.ts';
import { MemoryLimiterProcessor } from './processor.ts';
import { softLimitBytes } from './soft-limit.ts';
import { spansBatch } from '../../../../tests/support/components/batches.ts';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';
import { SinkExporter } from '../../../../tests/support/components/sink-exporter.ts';

const MIB = 1024 * 1024;
const limits = {
  check_interval: 5,
  limit_mib: 100,
  spike_limit_mib: 20,
  limit_percentage: 0,
  spike_limit_percentage: 0,
};

/** Memory that garbage collection does not reduce. */
function held(usedBytes: () => number): ProcessMemory {
  return { usedBytes, collectGarbage: () => undefined };
}

it('refuses as retryable while memory is above the soft limit, and takes data again below it', async () => {
  const { settings, lines } = componentSettings('processor', 'memory_limiter');
  const sink = new SinkExporter();
  let usedBytes = 81 * MIB;
  const limiter = new MemoryLimiterProcessor(
    settings,
    limits,
    sink,
    held(() => usedBytes),
  );
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
  const limiter = new MemoryLimiterProcessor(
    settings,
    limits,
    new SinkExporter(),
    held(() => usedBytes),
  );
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
  [
    'a share of the available memory',
    { ...limits, limit_mib: 0, limit_percentage: 50, spike_limit_percentage: 25 },
    250,
  ],
])('puts the soft limit at %s', (_name, config, expectedMib) => {
  expect(softLimitBytes(config, 1000 * MIB)).toBe(expectedMib * MIB);
});

it('collects garbage before it refuses data', async () => {
  const { settings } = componentSettings('processor', 'memory_limiter');
  processMemory.collectGarbage();
  const usedMib = Math.ceil(processMemory.usedBytes() / MIB);
  const limit = { ...limits, limit_mib: usedMib + 60, spike_limit_mib: 10 };
  leaveGarbage(80 * MIB);
  expect(processMemory.usedBytes()).toBeGreaterThan((usedMib + 50) * MIB);
  const sink = new SinkExporter();
  const limiter = new MemoryLimiterProcessor(settings, limit, sink);
  await limiter.start();
  await limiter.consume(spansBatch(['a']));
  expect(sink.items).toBe(1);
  await limiter.shutdown();
});

it('does not collect again and again while memory is held', async () => {
  const { settings } = componentSettings('processor', 'memory_limiter');
  let collections = 0;
  const memory: ProcessMemory = { usedBytes: () => 90 * MIB, collectGarbage: () => void collections++ };
  const limiter = new MemoryLimiterProcessor(settings, limits, new SinkExporter(), memory);
  await limiter.start();
  await new Promise((resolve) => setTimeout(resolve, 50));
  await limiter.shutdown();
  expect(collections).toBe(1);
});

/** In a function of its own, so that nothing holds the buffer when it returns. */
function leaveGarbage(bytes: number): void {
  expect(Buffer.alloc(bytes, 1).length).toBe(bytes);
}
