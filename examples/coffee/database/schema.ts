import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';
import { createIndexes } from '../../postgres/shipped-sql.ts';
import { placeOf, withClient } from '../../postgres/with-client.ts';

/**
 * Creates the tables and functions of the scraper in one transaction, and the indexes that siphon ships. Does nothing
 * if they exist. Leaves a database with other tables of these names unchanged.
 * @throws Error with the name of the conflicting table.
 */
export async function applySchema(databaseUrl: string): Promise<void> {
  const schema = await readFile(new URL('schema.sql', import.meta.url), 'utf8');
  const mark = `siphon demo ${createHash('sha256').update(schema).digest('hex').slice(0, 12)}`;
  await withClient(databaseUrl, async (client) => {
    const found = await readMark(client);
    if (found !== undefined && found !== mark) {
      throw refusal(databaseUrl, `its table scrape_runs belongs to ${describe(found)}`);
    }
    try {
      // Several statements in one message run in one transaction.
      if (found === undefined) await client.query(`${schema}; comment on table scrape_runs is '${mark}'`);
    } catch (error) {
      throw isDuplicate(error) ? refusal(databaseUrl, error.message) : error;
    }
  });
  await createIndexes(databaseUrl);
}

function describe(mark: string): string {
  return mark.startsWith('siphon demo') ? 'another version of the demo' : 'another application';
}

/** Reads the comment of the table; undefined without the table. */
async function readMark(client: Client): Promise<string | undefined> {
  const { rows } = await client.query<{ mark: string }>(
    `select coalesce(obj_description(oid, 'pg_class'), '') as mark
     from pg_class where oid = to_regclass('scrape_runs')`,
  );
  return rows[0]?.mark;
}

function refusal(databaseUrl: string, reason: string): Error {
  const place = placeOf(databaseUrl);
  return new Error(`cannot use database ${place}: ${reason}. Set DATABASE_URL to an empty database`);
}

/** duplicate_table, duplicate_object, duplicate_function: https://www.postgresql.org/docs/current/errcodes-appendix.html */
function isDuplicate(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && ['42P07', '42710', '42723'].includes(String(error.code));
}
