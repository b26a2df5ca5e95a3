import type { DiagnosisSettings, Finding } from '../../collector/diagnosis.ts';
import { connectionRoom, roomFindings } from '../../postgres/connection-room.ts';
import { PostgresError } from '../../postgres/postgres-error.ts';
import { failureFinding, slowFindings } from '../../postgres/query-findings.ts';
import { ReadOnlyPool, type QueryResult } from '../../postgres/read-only-pool.ts';
import { answerFindings } from './answer-findings.ts';
import type { SqlqueryConfig } from './config.ts';
import { connectionsFor, poolSettings, scheduleOf } from './pool-settings.ts';
import { plannedReadings, type PlannedReading } from './planned-readings.ts';
import { logsStatement } from './read-logs.ts';
import { metricsStatement } from './read-metrics.ts';

const ROOM_TIMEOUT_MS = 5000;

/** Runs each query once as the receiver does, one after the other, and looks at what its rows give. */
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
    const room = await connectionRoom(async (text) => {
      return (await pool.query({ text, timeoutMs: ROOM_TIMEOUT_MS, maxRows: 1 })).rows;
    });
    yield* roomFindings(room, 'the receiver', connectionsFor(planned.length, config));
    for (const reading of planned) {
      progress(`query ${reading.id}`);
      yield* await tryOut(reading, { pool, config, role: room.role });
    }
  } catch (error) {
    yield { severity: 'error', what: `cannot ask the database: ${PostgresError.from(error).message}` };
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

/** @throws PostgresError where the other queries would only say the same. */
async function tryOut(reading: PlannedReading, { pool, config, role }: Surroundings): Promise<Finding[]> {
  const { timeoutMs } = scheduleOf(reading.query, config);
  const name = `query ${reading.id}`;
  const tried = { name, timeoutMs, role, longer: 'Make it cheaper, for example by an index, or set its timeout' };
  try {
    const answer = await ask(pool, reading, timeoutMs);
    const findings = [...slowFindings(tried, answer.durationMs), ...answerFindings(reading, answer)];
    if (findings.length > 0) return findings;
    const amount = answer.rows.length === 0 ? 'gives no row' : 'gives rows';
    return [{ severity: 'ok', what: `${name} ${amount}, in ${Math.round(answer.durationMs)} ms` }];
  } catch (error) {
    const failure = PostgresError.from(error);
    if (failure.concernsDatabase) throw failure;
    return [failureFinding(tried, failure, reading.signal === 'metrics' ? 'points' : 'records')];
  }
}

/** A tracked query begins where it would begin without a storage. */
async function ask(pool: ReadOnlyPool, { query, signal }: PlannedReading, timeoutMs: number): Promise<QueryResult> {
  const statement = signal === 'metrics' ? metricsStatement(query) : logsStatement(query, query.tracking_start_value);
  return await pool.query({ ...statement, timeoutMs, parsed: 'none' });
}
