import type { DiagnosisSettings, Finding } from '../../../../engine/component.ts';
import { PostgresError } from '../../../../postgres/postgres-error.ts';
import { ReadOnlyPool } from '../../../../postgres/read-only-pool.ts';
import type { DbPollerConfig } from '../config.ts';
import { configuredPacks, plannedQueries, poolSettings, type ConfiguredPack } from '../plan.ts';
import type { UserCounterConfig } from '../user-queries/config.ts';
import { askedDatabase } from '../user-queries/asked-database.ts';
import { userTable } from '../user-queries/table.ts';
import { pgCatalog, SchemaProbe, tablesOf } from '../run/schema.ts';
import { readableIdentifier } from '../../../../postgres/identifier.ts';
import type { Check, Examined } from './check.ts';
import { clock } from './clock.ts';
import { examineConnection } from './connection.ts';
import { counting } from './user-tables.ts';
import { indexes } from './indexes.ts';
import { examineConsole } from './console.ts';
import { examineElection } from './connection.ts';
import { userIndexes } from './indexes.ts';
import { userTables } from './user-tables.ts';
import { queries } from './queries.ts';
import { role } from './role.ts';
import { server } from './server.ts';
import { rowLevelSecurity } from './tables.ts';
import { tables } from './tables.ts';
import { transactions } from './transactions.ts';

const CHECKS: readonly Check[] = [
  server,
  role,
  tables,
  userTables,
  rowLevelSecurity,
  indexes,
  userIndexes,
  counting,
  transactions,
  clock,
  queries,
];
const MAX_ROWS = 50_000;

/** Checks the database, read-only, for everything that would keep the poller from working. */
export async function* diagnose(settings: DiagnosisSettings, config: DbPollerConfig): AsyncGenerator<Finding> {
  if (config.datasource.isEmpty) {
    const cause = settings.emptyValues?.get('datasource');
    const repair = cause === undefined ? 'Set datasource' : 'Set it to postgresql://user:password@host:5432/database';
    yield { severity: 'warning', what: `is off: ${cause ?? 'datasource is empty'}`, repair };
    return;
  }
  settings.progress('connects');
  const connected = yield* examineConnection(config);
  if (connected === 'console') yield* examineConsole(config);
  if (connected !== 'database') return;
  settings.progress('tries the lock of the leader election');
  yield* examineElection(config);
  const packs = await configuredPacks(config).catch((error: unknown) => error as Error);
  if (packs instanceof Error) {
    yield { severity: 'error', what: packs.message };
    return;
  }
  const pool = new ReadOnlyPool(poolSettings(config, 1));
  try {
    const examined = await examine(pool, config, packs);
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

async function examine(
  pool: ReadOnlyPool,
  config: DbPollerConfig,
  packs: readonly ConfiguredPack[],
): Promise<Examined> {
  const ask: Examined['ask'] = async (text, values = [], timeoutMs = config.timeout) =>
    (await pool.query({ text, values, timeoutMs, maxRows: MAX_ROWS })).rows;
  const [row] = await ask('select current_user::text as role');
  const database = askedDatabase(pool, { timeoutMs: config.timeout });
  return {
    config,
    packs,
    planned: plannedQueries(config, packs),
    pool,
    role: readableIdentifier(String(row!['role'])),
    ask,
    schemaOf: remembered(async (pack: ConfiguredPack) => {
      if (pack.schema === undefined && tablesOf(pack).length === 0) return pgCatalog;
      const limits = { timeoutMs: config.timeout, retryMs: 0 };
      return await new SchemaProbe(pool, pack, limits, () => undefined).schema();
    }),
    tableOf: remembered(async (query: UserCounterConfig) => await userTable(query, database)),
  };
}

/** Remembers each result. A failed call is repeated. */
function remembered<Key, Value>(work: (key: Key) => Promise<Value>): (key: Key) => Promise<Value> {
  const known = new Map<Key, Value>();
  return async (key) => {
    const value = known.get(key) ?? (await work(key));
    known.set(key, value);
    return value;
  };
}

/** A check that fails does not stop the others. */
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
