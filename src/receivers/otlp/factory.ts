import type { ReceiverFactory } from '../../collector/component.ts';
import { configSchema, type OtlpReceiverConfig } from './config.ts';
import { OtlpReceiver } from './receiver.ts';

export const otlpReceiver: ReceiverFactory<OtlpReceiverConfig> = {
  kind: 'receiver',
  type: 'otlp',
  signals: ['traces', 'metrics', 'logs'],
  stability: 'beta',
  config: configSchema,
  create: (settings, config, next) => new OtlpReceiver(settings, config, next),
};
