import type { ReceiverFactory } from '../../../engine/component.ts';
import { configSchema, type DbPollerConfig } from './config.ts';
import { DbPoller } from './receiver.ts';

export const dbPollerReceiver: ReceiverFactory<DbPollerConfig> = {
  kind: 'receiver',
  type: 'db_poller',
  signals: ['metrics'],
  stability: 'alpha',
  config: configSchema,
  async *diagnose(settings, config) {
    const { diagnose } = await import('./doctor/diagnose.ts');
    yield* diagnose(settings, config);
  },
  create: (settings, config, next) => new DbPoller(settings, config, next('postgresql')),
};
