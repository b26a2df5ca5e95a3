import { Pool, type PoolClient, type QueryResultRow } from 'pg';
import {
  recordDatabaseQuery,
  recordRpc,
  withBackoff,
  type DatabaseQueryLabels,
  type RpcLabels,
} from 'siphon-otel/pipeline';

export type Rpc = RpcLabels['rpc'];

/** Sends statements and counts each of them. */
export interface Database {
  query<Row extends QueryResultRow>(labels: DatabaseQueryLabels, sql: string, values?: unknown[]): Promise<Row[]>;
  /** Calls an SQL function with named arguments and returns its result. */
  rpc<T>(rpc: Rpc, values: Readonly<Record<string, unknown>>): Promise<T>;
}

export class PooledDatabase implements Database {
  readonly #pool: Pool;

  constructor(connectionString: string) {
    this.#pool = new Pool({
      connectionString,
      max: 4,
      connectionTimeoutMillis: 3000,
      statement_timeout: 5000,
      application_name: 'coffee-pipeline',
    });
    // The next query replaces an idle connection that broke, and reports an error if that fails.
    this.#pool.on('error', () => undefined);
    // The same for a connection that breaks between two statements of a transaction.
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
  }

  async query<Row extends QueryResultRow>(
    labels: DatabaseQueryLabels,
    sql: string,
    values?: unknown[],
  ): Promise<Row[]> {
    return await send<Row>(this.#pool, labels, sql, values);
  }

  async rpc<T>(rpc: Rpc, values: Readonly<Record<string, unknown>>): Promise<T> {
    return await callRpc<T>(this.#pool, rpc, values);
  }

  /** Runs `body` in one transaction. Retries while PostgreSQL has no free connection. */
  async transaction<T>(body: (database: Database) => Promise<T>): Promise<T> {
    const client = await withBackoff({ service: 'postgresql', retries: 2 }, () => this.#pool.connect());
    try {
      await client.query('begin');
      const result = await body({
        query: async (labels, sql, values) => await send(client, labels, sql, values),
        rpc: async (rpc, values) => await callRpc(client, rpc, values),
      });
      await client.query('commit');
      client.release();
      return result;
    } catch (error) {
      // Closing the connection rolls back in every state of the connection.
      client.release(true);
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

async function send<Row extends QueryResultRow>(
  connection: Pool | PoolClient,
  labels: DatabaseQueryLabels,
  sql: string,
  values?: unknown[],
): Promise<Row[]> {
  try {
    const { rows } = await connection.query<Row>(sql, values);
    recordDatabaseQuery({ ...labels, success: true });
    return rows;
  } catch (error) {
    recordDatabaseQuery({ ...labels, success: false });
    throw error;
  }
}

async function callRpc<T>(
  connection: Pool | PoolClient,
  rpc: Rpc,
  values: Readonly<Record<string, unknown>>,
): Promise<T> {
  const parameters = Object.keys(values).map((name, index) => `p_${name} => $${index + 1}`);
  const sql = `select ${rpc}(${parameters.join(', ')}) as result`;
  try {
    const rows = await send<{ result: T }>(connection, { query_type: 'rpc', table: rpc }, sql, Object.values(values));
    recordRpc({ rpc, outcome: 'ok' });
    return rows[0]!.result;
  } catch (error) {
    recordRpc({ rpc, outcome: 'error' });
    throw error;
  }
}
