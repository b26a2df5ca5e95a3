import { expect, it } from 'vitest';
import { PostgresError } from './postgres-error.ts';
import { locatingMistakes } from './sql-mistake.ts';

const BEFORE = 'select * from (';

/** The message about an error at this character of the statement, from 1. */
async function messageOf(sql: string, position: number | undefined, code = '42601'): Promise<string> {
  const refused = Object.assign(new Error('syntax error'), { code, ...(position !== undefined && { position }) });
  const asked = { key: 'sql', sql, statement: `${BEFORE}${sql}\n) as bounded` };
  const answer = locatingMistakes(Promise.reject(PostgresError.from(refused)), asked);
  return await answer.then(
    () => 'no error',
    (error: unknown) => (error as PostgresError).message,
  );
}

it.each([
  ['in one line', 'selct 1', 1, 'sql has a mistake at character 1: syntax error'],
  ['in a later line', 'select 1\nfrom a\nwere b', 17, 'sql has a mistake at line 3, character 1: syntax error'],
  ['after signs of two units', `select '😀😀' frm a`, 13, 'sql has a mistake at character 13: syntax error'],
  ['at the end of a line', 'select\n1', 6, 'sql has a mistake at line 1, character 6: syntax error'],
  ['behind it', 'select 1 as', 13, 'sql has a mistake at its end: syntax error'],
])('names the place of a mistake %s', async (_, sql, character, message) => {
  expect(await messageOf(sql, BEFORE.length + character)).toBe(message);
});

it('names no place that is not in the SQL, and none that is unknown', async () => {
  expect(await messageOf('select 1', 3)).toBe('query failed: syntax error');
  expect(await messageOf('select 1', BEFORE.length + 40, '42703')).toBe('query failed: syntax error');
  expect(await messageOf('select 1 / 0', undefined, '22012')).toBe('query failed: syntax error');
});
