// Here and not next to the source: this test measures the memory of its process, which unit tests share.
import { expect, it } from 'vitest';
import { processMemory } from '../../../src/engine/process-memory.ts';
import { MemoryLimiterProcessor } from '../../../src/components/processors/memory-limiter/processor.ts';
import { spansBatch } from '../../support/components/batches.ts';
import { componentSettings } from '../../support/components/component-settings.ts';
import { SinkExporter } from '../../support/components/sink-exporter.ts';

const MIB = 1024 * 1024;

it('collects garbage before it refuses data', async () => {
  const { settings } = componentSettings('processor', 'memory_limiter');
  processMemory.collectGarbage();
  const usedMib = Math.ceil(processMemory.usedBytes() / MIB);
  const limit = {
    check_interval: 5,
    limit_mib: usedMib + 60,
    spike_limit_mib: 10,
    limit_percentage: 0,
    spike_limit_percentage: 0,
  };
  leaveGarbage(80 * MIB);
  expect(processMemory.usedBytes()).toBeGreaterThan((usedMib + 50) * MIB);
  const sink = new SinkExporter();
  const limiter = new MemoryLimiterProcessor(settings, limit, sink);
  await limiter.start();
  await limiter.consume(spansBatch(['a']));
  expect(sink.items).toBe(1);
  await limiter.shutdown();
});

/** In a function of its own, so that nothing holds the buffer when it returns. */
function leaveGarbage(bytes: number): void {
  expect(Buffer.alloc(bytes, 1).length).toBe(bytes);
}
