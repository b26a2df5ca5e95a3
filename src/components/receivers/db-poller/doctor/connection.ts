import type { Finding } from '../../../../engine/diagnosis.ts';
import { PostgresError } from '../../../../postgres/postgres-error.ts';
import { Session } from '../../../../postgres/session.ts';
import type { DbPollerConfig } from '../config.ts';

/** The first that knows a snapshot of 64 bits. */
const OLDEST_VERSION = 130_000;

/** Returns whether the database can be asked further. */
export async function* examineConnection(config: DbPollerConfig): AsyncGenerator<Finding, boolean> {
  const startedAt = performance.now();
  let session: Session;
  try {
    session = await openSession(config, config.datasource);
  } catch (error) {
    yield { severity: 'error', what: `cannot connect: ${PostgresError.from(error).message}` };
    return false;
  }
  try {
    const durationMs = Math.round(performance.now() - startedAt);
    const [row] = await session.query(`
      select current_setting('server_version') as version, current_setting('server_version_num')::int as number`);
    const encryption = session.isEncrypted ? 'with TLS' : 'without TLS';
    yield {
      severity: 'ok',
      what: `connects to PostgreSQL ${String(row!['version'])} in ${durationMs} ms, ${encryption}`,
    };
    yield* versionFindings(Number(row!['number']));
    yield* encryptionFindings(session);
  } catch (error) {
    yield { severity: 'error', what: `cannot ask the database: ${PostgresError.from(error).message}` };
    return false;
  } finally {
    await session.close();
  }
  return true;
}

function encryptionFindings({ isEncrypted, isVerified, isRemote }: Session): Finding[] {
  const repair = 'Add sslmode=verify-full to the datasource, and sslrootcert=FILE for an authority of your own';
  if (!isEncrypted)
    return isRemote ? [{ severity: 'warning', what: 'the connection leaves this machine without TLS', repair }] : [];
  if (isVerified) return [];
  return [{ severity: 'warning', what: 'the connection has TLS, but with whomever it is', repair }];
}

/** @param version as in `server_version_num`. */
export function versionFindings(version: number): Finding[] {
  if (version >= OLDEST_VERSION) return [];
  return [
    { severity: 'error', what: 'the server is older than PostgreSQL 13: rows cannot be counted', repair: 'Upgrade it' },
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
