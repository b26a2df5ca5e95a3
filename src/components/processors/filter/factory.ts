import type { ProcessorFactory } from '../../../engine/component.ts';
import { filterConfig, type FilterConfig } from './config.ts';
import { FilterProcessor } from './processor.ts';

export const filterProcessor: ProcessorFactory<FilterConfig> = {
  kind: 'processor',
  type: 'filter',
  signals: ['traces', 'metrics', 'logs'],
  stability: 'development',
  config: filterConfig,
  create: (settings, config, next) => new FilterProcessor(settings, config, next),
};
