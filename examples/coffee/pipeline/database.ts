import { Pool, type PoolClient, type QueryResultRow } from 'pg';
import {
  recordDatabaseQuery,
  recordRpc,
  withBackoff,
  type DatabaseQueryLabels,
  type RpcLabels,
} from 'siphon-otel/pipeline';

export type Rpc = RpcLabels['rpc'];

/** Sends statements, and records each as what it is. */
export interface Database {
  query<Row extends QueryResultRow>(labels: DatabaseQueryLabels, sql: string, values?: unknown[]): Promise<Row[]>;
  /** Calls a SQL function with its arguments by name, and gives what it returns. */
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
    // A connection that breaks while idle is replaced at the next query, which tells if that fails.
    this.#pool.on('error', () => undefined);
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

  /** Everything that `body` writes, or nothing of it. Waits when PostgreSQL has no connection to spare. */
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
      // The server rolls back when the connection closes, which works in every state that it may be in.
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
