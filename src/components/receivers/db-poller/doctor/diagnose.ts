import type { DiagnosisSettings, Finding } from '../../../../engine/component.ts';
import { PostgresError } from '../../../../postgres/postgres-error.ts';
import { ReadOnlyPool } from '../../../../postgres/read-only-pool.ts';
import { MOST_DATABASES, type DbPollerConfig } from '../config.ts';
import { configuredPacks, perDatabasePacks, plannedQueries, poolSettings, type ConfiguredPack } from '../plan.ts';
import { furtherDatabases } from '../further-databases.ts';
import { withDatabase } from '../../../../postgres/datasource/database-name.ts';
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
    yield offFinding(settings);
    return;
  }
  settings.progress('connects');
  const connected = yield* examineConnection(config);
  if (connected?.to === 'console') yield* examineConsole(config);
  if (connected?.to !== 'database') return;
  settings.progress('tries the lock of the leader election');
  yield* examineElection(config);
  const packs = await configuredPacks(config).catch((error: unknown) => error as Error);
  if (packs instanceof Error) {
    yield { severity: 'error', what: packs.message };
    return;
  }
  const pool = new ReadOnlyPool(poolSettings(config, 1));
  try {
    const examined = await examine(pool, connected.version, { config, packs });
    for (const check of CHECKS) {
      settings.progress(`examines ${check.about}`);
      yield* findingsOf(check, examined);
    }
    yield* manyDatabases(examined.further);
    for (const name of examined.further.slice(0, MOST_DATABASES)) {
      settings.progress(`examines the database ${name}`);
      for await (const finding of furtherFindings(name, examined))
        yield { ...finding, what: `database ${name}: ${finding.what}` };
    }
  } catch (error) {
    yield failure('the database', error);
  } finally {
    await pool.close();
  }
}

/** The checks of a further database. */
async function* furtherFindings(name: string, { config, packs, version }: Examined): AsyncGenerator<Finding> {
  const here = { ...config, datasource: withDatabase(config.datasource, name), databases: [], queries: [] };
  const pool = new ReadOnlyPool(poolSettings(here, 1));
  try {
    const examined = await examine(pool, version, { config: here, packs: perDatabasePacks(packs) });
    for (const check of [tables, queries]) yield* findingsOf(check, examined);
  } catch (error) {
    const { message, repair } = PostgresError.from(error);
    yield { severity: 'error', what: `cannot connect: ${message}`, ...(repair === undefined ? {} : { repair }) };
  } finally {
    await pool.close();
  }
}

/** The number of databases is limited, because each holds a connection. */
function* manyDatabases({ length }: readonly string[]): Generator<Finding> {
  if (length <= MOST_DATABASES) return;
  yield {
    severity: 'warning',
    what: `the server has ${length} further databases, and ${MOST_DATABASES} of them are polled`,
    repair: 'Name those that matter in databases, or leave others out with exclude_databases',
  };
}

/** Only a configuration that writes an empty text, or an empty default, wants the poller to be off. */
function offFinding({ emptyValues }: DiagnosisSettings): Finding {
  const empty = emptyValues?.get('datasource');
  if (empty === undefined)
    return { severity: 'warning', what: 'is off: datasource is empty', repair: 'Set datasource' };
  return {
    severity: empty.isDefault ? 'warning' : 'error',
    what: `is off: ${empty.cause}: nothing of the database is polled`,
    repair: 'Set it to postgresql://user:password@host:5432/database',
  };
}

async function examine(
  pool: ReadOnlyPool,
  version: number,
  { config, packs }: Pick<Examined, 'config' | 'packs'>,
): Promise<Examined> {
  const ask: Examined['ask'] = async (text, values = [], timeoutMs = config.timeout) =>
    (await pool.query({ text, values, timeoutMs, maxRows: MAX_ROWS })).rows;
  const [row] = await ask('select current_user::text as role');
  const further = await furtherDatabases(config, ask);
  const database = askedDatabase(pool, { timeoutMs: config.timeout });
  return {
    config,
    packs,
    planned: plannedQueries(config, packs),
    pool,
    further,
    version,
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
