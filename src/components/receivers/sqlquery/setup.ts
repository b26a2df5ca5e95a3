import type { SetupSettings, SetupSql } from '../../../engine/component.ts';
import { setupSql } from '../../../postgres/setup-sql.ts';
import { userSql } from '../../../postgres/user-sql.ts';
import type { SqlqueryConfig } from './config.ts';
import { plannedReadings } from './planned-readings.ts';
import { connectionsFor } from './pool-settings.ts';

/** The role of the receiver, and grants on the tables that its SQL reads. */
export async function setup({ role }: SetupSettings, config: SqlqueryConfig): Promise<SetupSql> {
  const { planned } = plannedReadings(config.queries, new Set(['metrics', 'logs']));
  const statements = planned.map(({ id, query }) => [id, withoutParameter(query.sql)] as const);
  return await Promise.resolve(
    setupSql({
      role,
      connections: connectionsFor(planned.length, config),
      tables: [],
      functions: [],
      readsSequences: false,
      statements: new Map(statements),
      indexes: [],
      remarks: [],
    }),
  );
}

/** A view has no parameters. `$1` is the value of the tracking column, whose type PostgreSQL finds for NULL, too. */
function withoutParameter(sql: string): string {
  return userSql(sql).replaceAll(/\$1\b/g, 'null');
}
