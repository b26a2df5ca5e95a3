import { Client } from 'pg';

/**
 * Runs `body` with a new connection.
 * @throws Error with the name of the database and without its password when the connection fails.
 */
export async function withClient<T>(databaseUrl: string, body: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: databaseUrl, application_name: 'siphon-demo' });
  try {
    await client.connect();
  } catch (cause) {
    // A host name with several addresses fails with one error for each of them and an empty message.
    const { message, code } = cause as NodeJS.ErrnoException;
    throw new Error(`cannot connect to database ${placeOf(databaseUrl)}: ${message || String(code)}`, { cause });
  }
  try {
    return await body(client);
  } finally {
    await client.end();
  }
}

/** Host, port and database of a connection string. */
export function placeOf(databaseUrl: string): string {
  if (!URL.canParse(databaseUrl)) return 'DATABASE_URL';
  const { host, pathname } = new URL(databaseUrl);
  return host + pathname;
}
