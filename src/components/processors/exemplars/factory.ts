import type { ProcessorFactory } from '../../../engine/component.ts';
import { exemplarsConfig, type ExemplarsConfig } from './config.ts';
import { Correlation } from './correlation.ts';
import { ExemplarsProcessor } from './processor.ts';

export const exemplarsProcessor: ProcessorFactory<ExemplarsConfig, Correlation> = {
  kind: 'processor',
  type: 'exemplars',
  signals: ['traces', 'metrics'],
  stability: 'development',
  config: exemplarsConfig,
  neededSignals: () => ['traces', 'metrics'],
  share: (settings, config) => new Correlation(settings, config),
  create: (settings, config, next, correlation = new Correlation(settings, config)) =>
    new ExemplarsProcessor(correlation, next),
};
