import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';
import { createIndexes } from '../../postgres/shipped-sql.ts';
import { placeOf, withClient } from '../../postgres/with-client.ts';

/**
 * Creates the tables and functions of the scraper, all or none, and the indexes that siphon ships, unless the database has exactly these already. A
 * database with anything else of these names is somebody's, and is left as it is.
 * @throws Error that names what is in the way.
 */
export async function applySchema(databaseUrl: string): Promise<void> {
  const schema = await readFile(new URL('schema.sql', import.meta.url), 'utf8');
  const mark = `siphon demo ${createHash('sha256').update(schema).digest('hex').slice(0, 12)}`;
  await withClient(databaseUrl, async (client) => {
    const found = await readMark(client);
    if (found !== undefined && found !== mark) {
      throw refusal(databaseUrl, `it has a table scrape_runs that is ${whose(found)}`);
    }
    try {
      // One message of several statements is one transaction.
      if (found === undefined) await client.query(`${schema}; comment on table scrape_runs is '${mark}'`);
    } catch (error) {
      throw isDuplicate(error) ? refusal(databaseUrl, error.message) : error;
    }
  });
  await createIndexes(databaseUrl);
}

function whose(mark: string): string {
  return mark.startsWith('siphon demo') ? 'of another version of the demo' : 'not the demo\u2019s';
}

/** What the table's maker has noted of it; undefined without the table. */
async function readMark(client: Client): Promise<string | undefined> {
  const { rows } = await client.query<{ mark: string }>(
    `select coalesce(obj_description(oid, 'pg_class'), '') as mark
     from pg_class where oid = to_regclass('scrape_runs')`,
  );
  return rows[0]?.mark;
}

function refusal(databaseUrl: string, reason: string): Error {
  const place = placeOf(databaseUrl);
  return new Error(`the database ${place} is left as it is: ${reason}. Give DATABASE_URL an empty database`);
}

/** duplicate_table, duplicate_object, duplicate_function: https://www.postgresql.org/docs/current/errcodes-appendix.html */
function isDuplicate(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && ['42P07', '42710', '42723'].includes(String(error.code));
}
