import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { withClient } from './with-client.ts';

/** Creates the missing indexes of `deploy/postgres/`. */
export async function createIndexes(databaseUrl: string): Promise<void> {
  const statements = statementsOf(await shippedSql('indexes.sql'));
  await withClient(databaseUrl, async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

/**
 * Creates the role of `deploy/postgres/` with a new password.
 * @param name must be unique, because roles belong to the whole server.
 * @returns the URL of the database with this login.
 */
export async function createPollerRole(databaseUrl: string, name = 'siphon'): Promise<string> {
  const password = randomBytes(12).toString('hex');
  await withClient(databaseUrl, async (client) => {
    await client.query(await shippedSql('role.sql', name));
    await client.query(`alter role ${name} password '${password}'`);
  });
  return Object.assign(new URL(databaseUrl), { username: name, password }).href;
}

/** Reads a file of `deploy/postgres/` and replaces the name of the role. */
export async function shippedSql(file: string, role = 'siphon'): Promise<string> {
  const text = await readFile(new URL(`../../deploy/postgres/${file}`, import.meta.url), 'utf8');
  return text.replaceAll(/\bsiphon\b/g, role);
}

/** Splits the file, because several statements in one message run in one transaction, which CREATE INDEX CONCURRENTLY refuses. */
export function statementsOf(sql: string): string[] {
  const statements = sql.replaceAll(/^--.*$/gm, '').split(';');
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== '');
}
