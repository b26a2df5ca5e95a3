import type { ReceiverFactory } from '../../../engine/component.ts';
import { sqlqueryConfig, type SqlqueryConfig } from './config.ts';
import { SqlqueryReceiver } from './receiver.ts';

export const sqlqueryReceiver: ReceiverFactory<SqlqueryConfig> = {
  kind: 'receiver',
  type: 'sqlquery',
  signals: ['metrics', 'logs'],
  stability: 'alpha',
  config: sqlqueryConfig,
  async *diagnose(settings, config) {
    const { diagnose } = await import('./diagnose.ts');
    yield* diagnose(settings, config);
  },
  create: (settings, config, next) => new SqlqueryReceiver(settings, config, next('postgresql')),
};
