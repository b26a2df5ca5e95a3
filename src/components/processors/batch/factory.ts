import type { ProcessorFactory } from '../../../engine/component.ts';
import { batchConfig, type BatchConfig } from './config.ts';
import { BatchProcessor } from './processor.ts';

export const batchProcessor: ProcessorFactory<BatchConfig> = {
  kind: 'processor',
  type: 'batch',
  signals: ['traces', 'metrics', 'logs'],
  stability: 'beta',
  config: batchConfig,
  create: (settings, config, next) => new BatchProcessor(settings, config, next),
};
