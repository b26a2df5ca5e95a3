import type { Finding } from '../../../../engine/diagnosis.ts';
import { isPooled, shareBackend } from '../../../../postgres/pooler.ts';
import { PostgresError } from '../../../../postgres/postgres-error.ts';
import type { Session } from '../../../../postgres/session.ts';
import type { DbPollerConfig } from '../config.ts';
import { openSession } from './connection.ts';

/** Whether one poller of many can be elected by way of the connection that the election uses. */
export async function* examineElection(config: DbPollerConfig): AsyncGenerator<Finding> {
  const { enabled, datasource } = config.leader_election;
  if (!enabled) return;
  const sessions: Session[] = [];
  try {
    sessions.push(await openSession(config, datasource));
    const [session] = sessions as [Session];
    if (!(await isPooled(session))) return;
    sessions.push(await openSession(config, datasource));
    if (await shareBackend(session, sessions[1]!)) yield transactionMode;
    else yield { severity: 'ok', what: 'a pooler stands before the database, and keeps a session for one client' };
  } catch (error) {
    yield {
      severity: 'error',
      what: `cannot open the session of the leader election: ${PostgresError.from(error).message}`,
      repair: 'Raise the connection limit, or set leader_election::datasource to where a session can be had',
    };
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

const transactionMode: Finding = {
  severity: 'error',
  what: 'a pooler in transaction mode stands before the database: no leader can be elected, and nothing is polled',
  repair:
    'Set leader_election::datasource to the database itself, or leader_election::enabled to false if this is the only sidecar',
};
