import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { startEmbeddedPostgres, type ServerParameters } from '../../../examples/postgres/embedded-postgres.ts';
import { applySchema } from '../../../examples/coffee/database/schema.ts';
import { createPollerRole, grantScrapePipeline } from '../../../examples/postgres/shipped-sql.ts';

/** A new database on a real server: on that of SIPHON_TEST_POSTGRES_URL, or on a new embedded one. */
export interface TestPostgres extends AsyncDisposable {
  readonly url: string;
  /** The URL for a role of `deploy/postgres/` with a unique name; with the schema, it may read those tables. */
  readonly pollerUrl: string;
  /** The name of that role. */
  readonly pollerRole: string;
  /** Runs SQL as the owner. */
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Stops and starts the server; undefined on a given server. */
  readonly server: { pause(): Promise<void>; resume(): Promise<void> } | undefined;
}

export interface TestPostgresOptions {
  /** Creates the tables of the coffee demo; default true. */
  readonly schema?: boolean;
  /** For the embedded server only. */
  readonly parameters?: ServerParameters;
}

export async function startTestPostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  const given = process.env['SIPHON_TEST_POSTGRES_URL'];
  const embedded = given === undefined ? await startEmbeddedPostgres(options.parameters) : undefined;
  const serverUrl = given ?? embedded?.url ?? '';
  const name = `siphon_test_${randomBytes(6).toString('hex')}`;
  const role = `${name}_poller`;
  await runSql(serverUrl, `create database ${name}`);
  const url = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
  const hasSchema = options.schema !== false;
  const pollerUrl = await createPollerRole(url, role);
  if (hasSchema) {
    await applySchema(url);
    await grantScrapePipeline(url, role);
  }
  return {
    url,
    pollerUrl,
    pollerRole: role,
    server: embedded,
    sql: (text, values) => runSql(url, text, values),
    [Symbol.asyncDispose]: async () => {
      if (embedded) await embedded.stop();
      else {
        await runSql(serverUrl, `drop database ${name} with (force)`);
        await runSql(serverUrl, `drop role if exists ${role}`);
      }
    },
  };
}

/** Runs SQL on a new connection. */
export async function runSql(url: string, text: string, values?: unknown[]): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text, values)).rows;
  } finally {
    await client.end();
  }
}
