import type { Finding } from '../../../../engine/component.ts';
import { isPooled, shareBackend } from '../../../../postgres/pooler.ts';
import { isConsole, mayBeConsole } from '../../../../postgres/pooler-console.ts';
import { PostgresError } from '../../../../postgres/postgres-error.ts';
import { Session } from '../../../../postgres/session.ts';
import type { DbPollerConfig } from '../config.ts';

/** The first version with 64-bit snapshots. */
const OLDEST_VERSION = 130_000;

/** `version` is `server_version_num`. */
export type Connected = { readonly to: 'database'; readonly version: number } | { readonly to: 'console' };

/** The other checks can run only on a database. Undefined: it cannot be reached. */
export async function* examineConnection(config: DbPollerConfig): AsyncGenerator<Finding, Connected | undefined> {
  const startedAt = performance.now();
  let session: Session;
  try {
    session = await openSession(config, config.datasource);
  } catch (error) {
    const { message, repair } = PostgresError.from(error);
    yield { severity: 'error', what: `cannot connect: ${message}`, ...(repair === undefined ? {} : { repair }) };
    return undefined;
  }
  try {
    if (mayBeConsole(config.datasource) && (await isConsole((text) => session.query(text)))) return { to: 'console' };
    const durationMs = Math.round(performance.now() - startedAt);
    const [row] = await session.query(`
      select current_setting('server_version') as version, current_setting('server_version_num')::int as number`);
    const encryption = session.isEncrypted ? 'with TLS' : 'without TLS';
    yield {
      severity: 'ok',
      what: `connected to PostgreSQL ${String(row!['version'])} in ${durationMs} ms, ${encryption}`,
    };
    const version = Number(row!['number']);
    yield* versionFindings(version);
    yield* encryptionFindings(session);
    return { to: 'database', version };
  } catch (error) {
    yield { severity: 'error', what: `cannot query the database: ${PostgresError.from(error).message}` };
    return undefined;
  } finally {
    await session.close();
  }
}

function encryptionFindings({ isEncrypted, isVerified, isRemote }: Session): Finding[] {
  const repair = 'Add sslmode=verify-full to the datasource, and sslrootcert=FILE for a private certificate authority';
  if (!isEncrypted)
    return isRemote
      ? [{ severity: 'warning', what: 'the connection to another machine does not use TLS', repair }]
      : [];
  if (isVerified) return [];
  return [{ severity: 'warning', what: 'the connection uses TLS, but the server certificate is not verified', repair }];
}

/** @param version as in `server_version_num`. */
export function versionFindings(version: number): Finding[] {
  if (version >= OLDEST_VERSION) return [];
  return [
    {
      severity: 'error',
      what: 'the server is older than PostgreSQL 13: rows cannot be counted',
      repair: 'Upgrade PostgreSQL',
    },
  ];
}

/** @throws PostgresError */
export async function openSession(config: DbPollerConfig, datasource = config.datasource): Promise<Session> {
  return await Session.open({
    datasource,
    applicationName: 'siphon doctor',
    connectTimeoutMs: config.connect_timeout,
    answerTimeoutMs: config.timeout,
  });
}

/** Checks whether the connection of the leader election can hold its lock. */
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
    else yield { severity: 'ok', what: 'the connection goes through a pooler that keeps a session for each client' };
  } catch (error) {
    yield {
      severity: 'error',
      what: `cannot open the session of the leader election: ${PostgresError.from(error).message}`,
      repair: 'Raise the connection limit, or set leader_election::datasource to a server that accepts another session',
    };
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

const transactionMode: Finding = {
  severity: 'error',
  what: 'the connection goes through a pooler in transaction mode: no leader can be elected, and nothing is polled',
  repair:
    'Set leader_election::datasource to the database itself, or leader_election::enabled to false if this is the only sidecar',
};
