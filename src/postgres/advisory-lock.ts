import { createHash } from 'node:crypto';
import { backendPid, isPooled, shareBackend } from './pooler.ts';
import { PostgresError } from './postgres-error.ts';
import { Session, type SessionSettings } from './session.ts';

export interface AdvisoryLockSettings extends SessionSettings {
  /** Sessions with the same name in the same database compete for the same lock. */
  readonly name: string;
  /** How long the server keeps a silent session, and with it the lock. */
  readonly leaseMs: number;
}

/**
 * A session that competes for an advisory lock, and holds it until the session ends. It is idle and not in a transaction,
 * so it holds no snapshot and does not delay vacuum. The caller that opens it closes it.
 */
export class AdvisoryLock {
  readonly #session: Session;
  readonly #key: string;
  readonly #pid: number;

  /** @throws PostgresError, with the reason `pooler` if other clients would share the lock */
  static async open(settings: AdvisoryLockSettings): Promise<AdvisoryLock> {
    const session = await Session.open(settings);
    try {
      if ((await isPooled(session)) && (await sharesWithOthers(session, settings))) throw transactionMode();
      await session.query(LEASE, leaseSettings(settings.leaseMs));
      return new AdvisoryLock(session, keyOf(settings.name), await backendPid(session));
    } catch (error) {
      session.drop();
      throw error;
    }
  }

  private constructor(session: Session, key: string, pid: number) {
    this.#session = session;
    this.#key = key;
    this.#pid = pid;
  }

  /** Aborts when the session, and with it the lock, has ended. */
  get ended(): AbortSignal {
    return this.#session.ended;
  }

  /** Resolves to whether this session now holds the lock. Call it until it does. @throws PostgresError */
  async tryTake(): Promise<boolean> {
    return (await this.#ask('pg_try_advisory_lock($1)', [this.#key])) as boolean;
  }

  /** Renews the lease and confirms that the lock is held. @throws PostgresError */
  async confirm(): Promise<void> {
    await this.#ask('true');
  }

  /** Releases the lock. */
  async close(): Promise<void> {
    await this.#session.close();
  }

  async #ask(expression: string, values: readonly unknown[] = []): Promise<unknown> {
    const [row] = await this.#session.query(`select ${expression} as answer, pg_backend_pid() as pid`, values);
    if (row!['pid'] !== this.#pid) throw transactionMode();
    return row!['answer'];
  }
}

/** Servers before version 14 lack `idle_session_timeout`; keepalives end the session there. */
const LEASE = `
  select set_config(name, case name when 'idle_session_timeout' then $1 when 'tcp_keepalives_count' then '2' else $2 end, false)
  from pg_settings
  where name in ('idle_session_timeout', 'tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_keepalives_count')`;

function leaseSettings(leaseMs: number): [string, string] {
  return [`${Math.ceil(leaseMs)}ms`, `${Math.max(1, Math.floor(leaseMs / 3000))}s`];
}

/** A pooler that does not grant a second session soon keeps the first one for this client. */
async function sharesWithOthers(session: Session, settings: SessionSettings): Promise<boolean> {
  const other = await Session.open(settings).catch(() => undefined);
  if (other === undefined) return false;
  try {
    return await shareBackend(session, other);
  } catch (error) {
    if (session.ended.aborted) throw error;
    return false;
  } finally {
    other.drop();
  }
}

function transactionMode(): PostgresError {
  return new PostgresError(
    'pooler',
    'a pooler in transaction mode cannot hold a lock for one client; set leader_election::datasource to the database itself, or leader_election::enabled to false if this is the only sidecar',
  );
}

/** The name of a lock has 64 bits. */
function keyOf(name: string): string {
  return createHash('sha256').update(`siphon ${name}`).digest().readBigInt64BE().toString();
}
