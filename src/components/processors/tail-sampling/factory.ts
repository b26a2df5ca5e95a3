import type { ProcessorFactory } from '../../../engine/component.ts';
import { tailSamplingConfig, type TailSamplingConfig } from './config.ts';
import { Decisions } from './decisions.ts';
import { ExemplarGate } from './exemplar-gate.ts';
import { TailSamplingProcessor } from './processor.ts';

export const tailSamplingProcessor: ProcessorFactory<TailSamplingConfig, Decisions> = {
  kind: 'processor',
  type: 'tail_sampling',
  signals: ['traces', 'metrics'],
  stability: 'development',
  config: tailSamplingConfig,
  neededSignals: ({ policies }) => (policies.some(({ type }) => type === 'exemplar') ? ['traces', 'metrics'] : []),
  share: (_settings, config) => new Decisions(config),
  create: (settings, config, next, decisions = new Decisions(config)) =>
    settings.signals.has('metrics')
      ? new ExemplarGate(settings, config, next, decisions)
      : new TailSamplingProcessor(settings, config, next, decisions),
};
