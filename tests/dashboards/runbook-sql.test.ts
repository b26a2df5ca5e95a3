import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPostgres, type TestPostgres } from '../support/postgres/test-postgres.ts';

const folder = new URL('../../docs/runbooks/', import.meta.url);
const statements = readdirSync(folder).flatMap((file) => {
  const text = readFileSync(new URL(file, folder), 'utf8');
  return [...text.matchAll(/```sql\n(.*?)```/gs)].map(([, sql = '']) => ({ file, sql: sql.trim().replace(/;$/, '') }));
});

describe('a statement of a runbook', () => {
  let database: TestPostgres;
  beforeAll(async () => {
    database = await startTestPostgres();
  });
  afterAll(() => database[Symbol.asyncDispose]());

  it('there are enough of them to tell', () => expect(statements.length).toBeGreaterThan(30));

  it.each(statements)('$file: $sql', async ({ sql }) => {
    const text = sql.replaceAll(`:'roaster'`, `'blue-tokai'`);
    // Only planned: some of them end sessions, and the server may have others.
    await database.sql(text.startsWith('vacuum') ? text : `explain ${text}`);
  });
});
