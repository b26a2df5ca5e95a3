import type { ReceiverFactory } from '../../../engine/component.ts';
import { dbPollerConfig, type DbPollerConfig } from './config.ts';
import type { DatabasePack } from './query.ts';
import { DbPoller } from './receiver.ts';

/** @param packs the packs that a configuration may choose. */
export function dbPollerReceiver(packs: readonly DatabasePack[]): ReceiverFactory<DbPollerConfig> {
  return {
    kind: 'receiver',
    type: 'db_poller',
    signals: ['metrics'],
    stability: 'alpha',
    config: dbPollerConfig(packs),
    async *diagnose(settings, config) {
      const { diagnose } = await import('./doctor/diagnose.ts');
      yield* diagnose(settings, config);
    },
    create: (settings, config, next) => new DbPoller(settings, config, next('postgresql')),
  };
}
