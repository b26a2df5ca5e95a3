import type { ProcessorFactory } from '../../../engine/component.ts';
import { memoryLimiterConfig, type MemoryLimiterConfig } from './config.ts';
import { MemoryLimiterProcessor } from './processor.ts';

export const memoryLimiterProcessor: ProcessorFactory<MemoryLimiterConfig> = {
  kind: 'processor',
  type: 'memory_limiter',
  signals: ['traces', 'metrics', 'logs'],
  stability: 'beta',
  config: memoryLimiterConfig,
  create: (settings, config, next) => new MemoryLimiterProcessor(settings, config, next),
};
