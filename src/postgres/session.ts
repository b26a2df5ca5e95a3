import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Client } from 'pg';
import type { Secret } from '../engine/schema/secret.ts';
import { isLoopback } from '../engine/net/announce.ts';
import { backendKey } from './cancel-request.ts';
import { connectionTargets } from './datasource/connection-targets.ts';
import { firstServer, requireRole } from './datasource/first-server.ts';
import { PostgresError } from './postgres-error.ts';
import type { Row } from './read-only-pool.ts';

export interface SessionSettings {
  readonly datasource: Secret;
  /** The application name of the session, unless the datasource sets one. */
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  /** The timeout for an answer. */
  readonly answerTimeoutMs: number;
}

/** Long enough to send the termination message to a reachable server. */
const CLOSE_TIMEOUT_MS = 250;

/** One connection that is not shared. The caller that opens it closes it. */
export class Session {
  /** Aborts when either side has ended the connection. The reason is a PostgresError. */
  readonly ended: AbortSignal;
  readonly #client: Client;

  /** @throws PostgresError */
  static async open(settings: SessionSettings): Promise<Session> {
    return await firstServer(await connectionTargets(settings.datasource), async (url, role) => {
      const session = await Session.#connect(url, settings);
      try {
        await requireRole(role, async (text) => await session.query(text));
        return session;
      } catch (error) {
        session.drop();
        throw error;
      }
    });
  }

  static async #connect(
    url: string,
    { applicationName, connectTimeoutMs, answerTimeoutMs }: SessionSettings,
  ): Promise<Session> {
    const { default: pg } = await import('pg');
    let session: Session | undefined;
    try {
      const client = new pg.Client({
        application_name: applicationName,
        connectionString: url,
        connectionTimeoutMillis: connectTimeoutMs,
        query_timeout: answerTimeoutMs,
        keepAlive: true,
      });
      session = new Session(client);
      await client.connect();
      return session;
    } catch (error) {
      session?.drop();
      throw PostgresError.from(error);
    }
  }

  private constructor(client: Client) {
    this.#client = client;
    const ended = new AbortController();
    this.ended = ended.signal;
    client.on('end', () => ended.abort(new PostgresError('connection', 'the connection has ended')));
    // A lost connection emits an error first, which would end the process without a listener.
    client.on('error', (error) => ended.abort(PostgresError.from(error)));
  }

  /** True if the connection is encrypted. */
  get isEncrypted(): boolean {
    return 'encrypted' in this.#client.connection.stream;
  }

  /** True if the server has presented a trusted certificate. */
  get isVerified(): boolean {
    return (this.#client.connection.stream as Partial<TLSSocket>).authorized === true;
  }

  /** True if the connection leaves this machine. */
  get isRemote(): boolean {
    const { remoteAddress } = this.#client.connection.stream as Socket;
    return remoteAddress !== undefined && !isLoopback(remoteAddress);
  }

  /** The process that the server announced at the start of the session. A pooler announces one that does not exist. */
  get announcedPid(): number | null {
    return backendKey(this.#client).processID;
  }

  /** @throws PostgresError. After a timeout, the session can only be ended. */
  async query(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    try {
      return (await this.#client.query<Row>(text, [...values])).rows;
    } catch (error) {
      throw PostgresError.from(error);
    }
  }

  /** Closes the session, or drops the connection if the server does not answer. Safe to call twice. */
  async close(): Promise<void> {
    const late = setTimeout(() => this.drop(), CLOSE_TIMEOUT_MS);
    await this.#client.end();
    clearTimeout(late);
  }

  /** Ends the connection without a termination message. */
  drop(): void {
    this.#client.connection.stream.destroy();
  }
}
