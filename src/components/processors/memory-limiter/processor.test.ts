import * as v from 'valibot';
import { expect, it } from 'vitest';
import { RetryableError } from '../../../engine/errors.ts';

import type { ProcessMemory } from '../../../engine/process-memory.ts';
import { idleKeys, memoryLimiterConfig } from './config.ts';
import { MemoryLimiterProcessor } from './processor.ts';
import { memoryLimits } from './memory-limits.ts';
import { spansBatch } from '../../../../tests/support/components/batches.ts';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';
import { hostWith } from '../../../../tests/support/components/host-with.ts';
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
  expect(memoryLimits(config, 1000 * MIB).softBytes).toBe(expectedMib * MIB);
});

it('reduces a limit that the container cannot hold, with its spike limit', () => {
  const config = { ...limits, limit_mib: 512, spike_limit_mib: 128 };
  expect(memoryLimits(config, 256 * MIB)).toEqual({ hardBytes: 192 * MIB, softBytes: 144 * MIB, isReduced: true });
  expect(memoryLimits(config, 1024 * MIB)).toEqual({ hardBytes: 512 * MIB, softBytes: 384 * MIB, isReduced: false });
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

it('collects with each check above the hard limit', async () => {
  const { settings } = componentSettings('processor', 'memory_limiter');
  let usedBytes = 150 * MIB;
  const memory: ProcessMemory = { usedBytes: () => usedBytes, collectGarbage: () => void (usedBytes -= 20 * MIB) };
  const limiter = new MemoryLimiterProcessor(settings, limits, new SinkExporter(), memory);
  await limiter.start();
  await expect.poll(() => usedBytes).toBe(90 * MIB);
  await limiter.shutdown();
});

it('takes what siphon itself measured up to the hard limit', async () => {
  const { settings } = componentSettings('processor', 'memory_limiter');
  const sink = new SinkExporter();
  let usedBytes = 99 * MIB;
  const memory = held(() => usedBytes);
  const limiter = new MemoryLimiterProcessor(settings, limits, sink, memory);
  await limiter.start();
  const batch = { ...spansBatch(['a']), isOwn: true };
  await limiter.consume(batch);
  expect(sink.items).toBe(1);
  usedBytes = 101 * MIB;
  await expect.poll(() => limiter.consume(batch).catch((error: unknown) => error)).toBeInstanceOf(RetryableError);
  await limiter.shutdown();
});

it('reports to the host since when it refuses data', async () => {
  const { settings } = componentSettings('processor', 'memory_limiter');
  let usedBytes = 81 * MIB;
  const memory = held(() => usedBytes);
  const limiter = new MemoryLimiterProcessor(settings, limits, new SinkExporter(), memory);
  const reports: (number | undefined)[] = [];
  await limiter.start({ ...hostWith({}), reportRefusing: (_, sinceMs) => void reports.push(sinceMs) });
  await expect.poll(() => reports.length).toBeGreaterThan(2);
  expect(reports[0]).toBeGreaterThan(0);
  expect(new Set(reports).size).toBe(1);
  usedBytes = 79 * MIB;
  await expect.poll(() => reports.at(-1)).toBeUndefined();
  await limiter.shutdown();
});

it('accepts the intervals of the stock processor without effect', () => {
  const intervals = { min_gc_interval_when_soft_limited: '10s', min_gc_interval_when_hard_limited: 0 };
  const config = v.parse(memoryLimiterConfig, { check_interval: '1s', limit_mib: 100, ...intervals });
  expect(Object.values(idleKeys(config))).toEqual([true, true]);
});
