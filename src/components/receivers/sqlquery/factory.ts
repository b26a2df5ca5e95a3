import type { ReceiverFactory } from '../../../engine/component.ts';
import { filesOfDatasource } from '../../../postgres/datasource/keywords.ts';
import { connectionOf, sqlqueryConfig, type SqlqueryConfig } from './config.ts';
import { SqlqueryReceiver } from './receiver.ts';

export const sqlqueryReceiver: ReceiverFactory<SqlqueryConfig> = {
  kind: 'receiver',
  type: 'sqlquery',
  signals: ['metrics', 'logs'],
  stability: 'alpha',
  config: sqlqueryConfig,
  files: (config) => filesOfDatasource(connectionOf(config)?.url ?? ''),
  async *diagnose(settings, config) {
    const { diagnose } = await import('./diagnose.ts');
    yield* diagnose(settings, config);
  },
  async setup(settings, config) {
    const { setup } = await import('./setup.ts');
    return await setup(settings, config);
  },
  create: (settings, config, next) => new SqlqueryReceiver(settings, config, next('postgresql')),
};
