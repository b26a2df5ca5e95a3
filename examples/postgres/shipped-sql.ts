import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { withClient } from './with-client.ts';

/** Builds the indexes of `deploy/postgres/` that are not there yet. */
export async function createIndexes(databaseUrl: string): Promise<void> {
  const statements = statementsOf(await shippedSql('indexes.sql'));
  await withClient(databaseUrl, async (client) => {
    for (const statement of statements) await client.query(statement);
  });
}

/**
 * Makes the role of `deploy/postgres/` and gives it a new password.
 * @param name what it is called here, for roles belong to the whole server.
 * @returns the database's URL for it.
 */
export async function createPollerRole(databaseUrl: string, name = 'siphon'): Promise<string> {
  const password = randomBytes(12).toString('hex');
  await withClient(databaseUrl, async (client) => {
    await client.query(await shippedSql('role.sql', name));
    await client.query(`alter role ${name} password '${password}'`);
  });
  return Object.assign(new URL(databaseUrl), { username: name, password }).href;
}

/** A file of `deploy/postgres/`, for a role of this name. */
export async function shippedSql(file: string, role = 'siphon'): Promise<string> {
  const text = await readFile(new URL(`../../deploy/postgres/${file}`, import.meta.url), 'utf8');
  return text.replaceAll(/\bsiphon\b/g, role);
}

/** Each by itself, for what is built concurrently cannot stand in a transaction, as several in one message do. */
export function statementsOf(sql: string): string[] {
  const statements = sql.replaceAll(/^--.*$/gm, '').split(';');
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== '');
}
