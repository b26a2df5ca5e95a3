import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packs } from '../../src/packs/index.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres/test-postgres.ts';

const files = packs.flatMap(({ runbooks }) =>
  runbooks === undefined ? [] : readdirSync(runbooks.folder).map((file) => new URL(file, runbooks.folder)),
);
const statements = files.flatMap((url) => {
  const text = readFileSync(url, 'utf8');
  const file = path.basename(url.pathname);
  return [...text.matchAll(/```sql\n(.*?)```/gs)].map(([, sql = '']) => ({ file, sql: sql.trim().replace(/;$/, '') }));
});

describe('a statement of a runbook', () => {
  let database: TestPostgres;
  beforeAll(async () => {
    database = await startTestPostgres();
  });
  afterAll(() => database[Symbol.asyncDispose]());

  it('checks enough statements', () => expect(statements.length).toBeGreaterThan(30));

  it.each(statements)('$file: $sql', async ({ sql }) => {
    const text = sql.replaceAll(`:'roaster'`, `'blue-tokai'`);
    // Only planned: some of them end sessions, and the server may have others.
    await database.sql(text.startsWith('vacuum') ? text : `explain ${text}`);
  });
});
