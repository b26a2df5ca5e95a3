import type { ProcessorFactory } from '../../../engine/component.ts';
import { probabilisticSamplerConfig, type ProbabilisticSamplerConfig } from './config.ts';
import { ProbabilisticSamplerProcessor } from './processor.ts';

export const probabilisticSamplerProcessor: ProcessorFactory<ProbabilisticSamplerConfig> = {
  kind: 'processor',
  type: 'probabilistic_sampler',
  signals: ['traces'],
  stability: 'development',
  config: probabilisticSamplerConfig,
  create: (settings, config, next) => new ProbabilisticSamplerProcessor(settings, config, next),
};
