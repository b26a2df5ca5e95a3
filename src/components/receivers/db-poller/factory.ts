import type { ReceiverFactory } from '../../../engine/component.ts';
import { filesOfDatasource } from '../../../postgres/datasource/keywords.ts';
import { dbPollerConfig, type DbPollerConfig } from './config.ts';
import type { DatabasePack } from './query.ts';
import { DbPoller } from './receiver.ts';

/** @param packs the packs that a configuration may choose. */
export function dbPollerReceiver(packs: readonly DatabasePack[]): ReceiverFactory<DbPollerConfig> {
  return {
    kind: 'receiver',
    type: 'db_poller',
    signals: ['metrics', 'logs'],
    stability: 'alpha',
    config: dbPollerConfig(packs),
    files: ({ datasource, leader_election: { datasource: direct = datasource } }) =>
      [datasource, direct].flatMap((address) => filesOfDatasource(address.reveal())),
    modules: (config) => config.packs.map(({ database }) => database),
    subjects: ({ datasource, packs: chosen }) => (datasource.isEmpty ? [] : chosen.map(({ name }) => name)),
    async *diagnose(settings, config) {
      const { diagnose } = await import('./doctor/diagnose.ts');
      yield* diagnose(settings, config);
    },
    async setup(settings, config) {
      const { setup } = await import('./doctor/setup.ts');
      return await setup(settings, config);
    },
    create: (settings, config, next) => new DbPoller(settings, config, next('postgresql')),
  };
}
