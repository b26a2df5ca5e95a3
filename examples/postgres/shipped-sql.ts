import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { withClient } from './with-client.ts';

/** Creates the missing indexes of `deploy/postgres/`. */
export async function createIndexes(databaseUrl: string): Promise<void> {
  const { indexes } = await scrapePipelineStatements();
  await withClient(databaseUrl, async (client) => {
    for (const statement of indexes) await client.query(statement);
  });
}

/** The statements of the file for the pack `scrape_pipeline`. An index must be created in a message of its own. */
export async function scrapePipelineStatements(role = 'siphon'): Promise<{ rights: string[]; indexes: string[] }> {
  const statements = statementsOf(await shippedSql('scrape-pipeline.sql', role));
  const indexes = statements.filter((statement) => statement.startsWith('create index'));
  return { rights: statements.filter((statement) => !indexes.includes(statement)), indexes };
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

/** Grants the role what the pack `scrape_pipeline` reads. */
export async function grantScrapePipeline(databaseUrl: string, role = 'siphon'): Promise<void> {
  const { rights } = await scrapePipelineStatements(role);
  await withClient(databaseUrl, async (client) => {
    for (const statement of rights) await client.query(statement);
  });
}

/** Reads a file of `deploy/postgres/` and replaces the name of the role. */
export async function shippedSql(file: string, role = 'siphon'): Promise<string> {
  const text = await readFile(new URL(`../../deploy/postgres/${file}`, import.meta.url), 'utf8');
  return text.replaceAll(/\bsiphon\b/g, role);
}

/** Splits SQL at semicolons outside of `$$` blocks, because several statements in one message run in one transaction. */
export function statementsOf(sql: string): string[] {
  const statements = sql.replaceAll(/^--.*$/gm, '').match(/(?:\$\$[^]*?\$\$|[^;$]|\$(?!\$))+/g) ?? [];
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== '');
}
