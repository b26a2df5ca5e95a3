import type { DiagnosisSettings, Finding } from '../../../collector/diagnosis.ts';
import { PostgresError } from '../../../postgres/postgres-error.ts';
import { ReadOnlyPool } from '../../../postgres/read-only-pool.ts';
import type { DbPollerConfig } from '../config.ts';
import { configuredPacks } from '../packs/configured-packs.ts';
import { SchemaProbe } from '../schema-probe.ts';
import { quoteName, type Check, type Examined, type QueriedSchema } from './check.ts';
import { clock } from './clock.ts';
import { examineConnection } from './connection.ts';
import { counting } from './counting.ts';
import { indexes } from './indexes.ts';
import { examineElection } from './poolers.ts';
import { namedTables } from './named-tables.ts';
import { queries } from './queries.ts';
import { role } from './role.ts';
import { rowLevelSecurity } from './row-level-security.ts';
import { tables } from './tables.ts';
import { transactions } from './transactions.ts';

const CHECKS: readonly Check[] = [
  role,
  tables,
  namedTables,
  rowLevelSecurity,
  indexes,
  counting,
  transactions,
  clock,
  queries,
];
const MAX_ROWS = 50_000;
/** PostgreSQL's own catalogues are always there. */
const catalogues: QueriedSchema = { table: (name) => name, has: () => true, hasIndex: () => false, missing: () => [] };

/** Asks the database, read-only, what would keep the poller from its work. */
export async function* diagnose(settings: DiagnosisSettings, config: DbPollerConfig): AsyncGenerator<Finding> {
  if (config.datasource.isEmpty) {
    yield { severity: 'warning', what: 'is off: its datasource is empty', repair: 'Set datasource' };
    return;
  }
  settings.progress('connects');
  const isConnected = yield* examineConnection(config);
  if (!isConnected) return;
  settings.progress('tries the lock of the leader election');
  yield* examineElection(config);
  const pool = openPool(config);
  try {
    const examined = await examine(pool, config);
    for (const check of CHECKS) {
      settings.progress(`examines ${check.about}`);
      yield* findingsOf(check, examined);
    }
  } catch (error) {
    yield failure('the database', error);
  } finally {
    await pool.close();
  }
}

function openPool({ datasource, connect_timeout, lock_timeout }: DbPollerConfig): ReadOnlyPool {
  return new ReadOnlyPool({
    datasource,
    maxConnections: 1,
    connectTimeoutMs: connect_timeout,
    lockTimeoutMs: lock_timeout,
    onConnect: () => undefined,
  });
}

async function examine(pool: ReadOnlyPool, config: DbPollerConfig): Promise<Examined> {
  const ask: Examined['ask'] = async (text, values = [], timeoutMs = config.timeout) =>
    (await pool.query({ text, values, timeoutMs, maxRows: MAX_ROWS })).rows;
  const limits = { timeoutMs: config.timeout, retryMs: 0 };
  const [row] = await ask('select current_user::text as role');
  return {
    config,
    packs: await configuredPacks(config),
    role: quoteName(String(row!['role'])),
    ask,
    schemaOf: async ({ schema, ...pack }) => {
      if (schema === undefined) return catalogues;
      return await new SchemaProbe(pool, { ...pack, schema }, limits, () => undefined).schema();
    },
  };
}

/** One that fails leaves the others alone. */
async function* findingsOf(check: Check, examined: Examined): AsyncGenerator<Finding> {
  try {
    yield* check.find(examined);
  } catch (error) {
    yield failure(check.about, error);
  }
}

function failure(about: string, error: unknown): Finding {
  return { severity: 'error', what: `cannot examine ${about}: ${PostgresError.from(error).message}` };
}
