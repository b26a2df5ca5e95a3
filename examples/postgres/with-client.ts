import { Client } from 'pg';

/**
 * Runs `body` on a connection of its own.
 * @throws Error that names the database, without its password, when it cannot be reached.
 */
export async function withClient<T>(databaseUrl: string, body: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: databaseUrl, application_name: 'siphon-demo' });
  try {
    await client.connect();
  } catch (cause) {
    // A name with several addresses fails with an error for each of them, and no message.
    const { message, code } = cause as NodeJS.ErrnoException;
    throw new Error(`the database ${placeOf(databaseUrl)} cannot be reached: ${message || String(code)}`, { cause });
  }
  try {
    return await body(client);
  } finally {
    await client.end();
  }
}

/** Host, port and database of a connection string. */
export function placeOf(databaseUrl: string): string {
  if (!URL.canParse(databaseUrl)) return 'of DATABASE_URL';
  const { host, pathname } = new URL(databaseUrl);
  return host + pathname;
}
