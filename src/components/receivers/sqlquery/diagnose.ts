import type { DiagnosisSettings, Finding } from '../../../engine/component.ts';
import { askedTables, type TableName } from '../../../postgres/asked-tables.ts';
import { connectionRoom, roomFindings } from '../../../postgres/connection-room.ts';
import { PostgresError } from '../../../postgres/postgres-error.ts';
import { failureFinding, slowFindings } from '../../../postgres/query-findings.ts';
import { ReadOnlyPool } from '../../../postgres/read-only-pool.ts';
import { rowLevelSecurityFindings, type Reader } from '../../../postgres/row-level-security.ts';
import { answerFindings } from './answer-findings.ts';
import type { SqlqueryConfig } from './config.ts';
import { connectionsFor, poolSettings, scheduleOf } from './pool-settings.ts';
import { plannedReadings, type PlannedReading } from './planned-readings.ts';
import { answerTo, type Statement } from './reading-poller.ts';
import { logsStatement } from './read-logs.ts';
import { metricsStatement } from './read-metrics.ts';

const TIMEOUT_MS = 5000;
const MAX_TABLES = 1000;

/** Runs each query once, as the receiver does, one after the other, and examines its rows. */
export async function* diagnose(
  { signals, deadline, progress }: DiagnosisSettings,
  config: SqlqueryConfig,
): AsyncGenerator<Finding> {
  const pool = new ReadOnlyPool(poolSettings(config, 1));
  const close = (): void => void pool.close();
  deadline.addEventListener('abort', close, { once: true });
  try {
    const { planned } = plannedReadings(config.queries, signals);
    progress('the connection');
    const isConsole = await pool.transaction({ timeoutMs: TIMEOUT_MS }, async (opened) => opened.isConsole);
    const role = isConsole ? 'of the console' : yield* examineDatabase(pool, planned, config);
    for (const reading of planned) {
      progress(`query ${reading.id}`);
      yield* await tryOut(reading, { pool, config, role });
    }
  } catch (error) {
    yield { severity: 'error', what: `cannot query the database: ${PostgresError.from(error).message}` };
  } finally {
    deadline.removeEventListener('abort', close);
    await pool.close();
  }
}

interface Surroundings {
  readonly pool: ReadOnlyPool;
  readonly config: SqlqueryConfig;
  readonly role: string;
}

/** Returns the role. @throws PostgresError if the database does not answer */
async function* examineDatabase(
  pool: ReadOnlyPool,
  planned: readonly PlannedReading[],
  config: SqlqueryConfig,
): AsyncGenerator<Finding, string> {
  const room = await connectionRoom(asker(pool));
  yield* roomFindings(room, 'the receiver', connectionsFor(planned.length, config));
  yield* hiddenRows(planned, pool, room.role);
  return room.role;
}

/** @throws PostgresError if the database does not answer */
async function* hiddenRows(
  planned: readonly PlannedReading[],
  pool: ReadOnlyPool,
  role: string,
): AsyncGenerator<Finding> {
  const tables: TableName[] = [];
  for (const reading of planned) tables.push(...(await askedTables(pool, statementOf(reading), TIMEOUT_MS)));
  yield* rowLevelSecurityFindings({ role, ask: asker(pool) }, tables);
}

/** @throws PostgresError if the database is unavailable, so that the other queries would fail too */
async function tryOut(reading: PlannedReading, { pool, config, role }: Surroundings): Promise<Finding[]> {
  const { timeoutMs } = scheduleOf(reading.query, config);
  const name = `query ${reading.id}`;
  const tried = { name, timeoutMs, role, longer: 'Make it faster, for example with an index, or raise its timeout' };
  try {
    const answer = await answerTo(statementOf(reading), pool, timeoutMs);
    const findings = [...slowFindings(tried, answer.durationMs), ...answerFindings(reading, answer)];
    if (findings.length > 0) return findings;
    const took = `in ${Math.round(answer.durationMs)} ms`;
    if (answer.rows.length > 0) return [{ severity: 'ok', what: `${name} returns rows, ${took}` }];
    return [{ severity: 'note', what: `${name} returns no rows at the moment, ${took}` }];
  } catch (error) {
    const failure = PostgresError.from(error);
    if (failure.concernsDatabase) throw failure;
    return [failureFinding(tried, failure, reading.signal === 'metrics' ? 'points' : 'records')];
  }
}

/** A tracked query starts from its start value. */
function statementOf({ query, signal }: PlannedReading): Statement {
  return signal === 'metrics' ? metricsStatement(query) : logsStatement(query, query.tracking_start_value);
}

/** Runs the statements of the checks, in addition to the queries. */
function asker(pool: ReadOnlyPool): Reader['ask'] {
  return async (text, values = []) =>
    (await pool.query({ text, values, timeoutMs: TIMEOUT_MS, maxRows: MAX_TABLES })).rows;
}
