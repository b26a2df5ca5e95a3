import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Client } from 'pg';
import type { Secret } from '../engine/schema/secret.ts';
import { isLoopback } from '../engine/net/announce.ts';
import { backendKey } from './cancel-request.ts';
import { connectionString } from './connection-string.ts';
import { PostgresError } from './postgres-error.ts';
import type { Row } from './read-only-pool.ts';

export interface SessionSettings {
  readonly datasource: Secret;
  /** How PostgreSQL names the session, unless the datasource does. */
  readonly applicationName: string;
  readonly connectTimeoutMs: number;
  /** How long an answer may take. */
  readonly answerTimeoutMs: number;
}

/** The farewell is on its way then, or the server is not there to hear it. */
const CLOSE_TIMEOUT_MS = 250;

/** One connection that is not shared with anybody. Whoever opens it closes it. */
export class Session {
  /** Aborts when the connection has ended, whoever ended it; the reason is a PostgresError. */
  readonly ended: AbortSignal;
  readonly #client: Client;

  /** @throws PostgresError */
  static async open(settings: SessionSettings): Promise<Session> {
    const { default: pg } = await import('pg');
    const client = new pg.Client({
      application_name: settings.applicationName,
      connectionString: connectionString(settings.datasource),
      connectionTimeoutMillis: settings.connectTimeoutMs,
      query_timeout: settings.answerTimeoutMs,
      keepAlive: true,
    });
    const session = new Session(client);
    try {
      await client.connect();
      return session;
    } catch (error) {
      session.drop();
      throw PostgresError.from(error);
    }
  }

  private constructor(client: Client) {
    this.#client = client;
    const ended = new AbortController();
    this.ended = ended.signal;
    client.on('end', () => ended.abort(new PostgresError('connection', 'the connection has ended')));
    // A lost connection comes as an error first; without a listener it would end the process.
    client.on('error', (error) => ended.abort(PostgresError.from(error)));
  }

  /** Whether what is said is encrypted. */
  get isEncrypted(): boolean {
    return 'encrypted' in this.#client.connection.stream;
  }

  /** Whether it is known whom it is said to: the server has shown a certificate that is trusted. */
  get isVerified(): boolean {
    return (this.#client.connection.stream as Partial<TLSSocket>).authorized === true;
  }

  /** Whether what is said leaves this machine. */
  get isRemote(): boolean {
    const { remoteAddress } = this.#client.connection.stream as Socket;
    return remoteAddress !== undefined && !isLoopback(remoteAddress);
  }

  /** The process that the server named at the start of the session. A pooler names one that there is not. */
  get announcedPid(): number | null {
    return backendKey(this.#client).processID;
  }

  /** @throws PostgresError; one that waited in vain for the answer leaves the session fit for nothing but its end. */
  async query(text: string, values: readonly unknown[] = []): Promise<readonly Row[]> {
    try {
      return (await this.#client.query<Row>(text, [...values])).rows;
    } catch (error) {
      throw PostgresError.from(error);
    }
  }

  /** Takes leave of the server, or drops the connection where it does not answer. Safe to call twice. */
  async close(): Promise<void> {
    const late = setTimeout(() => this.drop(), CLOSE_TIMEOUT_MS);
    await this.#client.end();
    clearTimeout(late);
  }

  /** Ends the connection without a word. */
  drop(): void {
    this.#client.connection.stream.destroy();
  }
}
