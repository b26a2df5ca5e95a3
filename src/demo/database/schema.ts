import { readFile } from 'node:fs/promises';
import { Client } from 'pg';

/** Creates the tables and functions of the scraper, unless the database has them already. */
export async function applySchema(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl, application_name: 'siphon-demo-schema' });
  await client.connect();
  try {
    const { rows } = await client.query<{ exists: boolean }>(`select to_regclass('scrape_runs') is not null as exists`);
    if (rows[0]?.exists === true) return;
    const schema = await readFile(new URL('schema.sql', import.meta.url), 'utf8');
    await client.query(schema);
  } finally {
    await client.end();
  }
}
