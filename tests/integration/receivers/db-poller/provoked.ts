import { expect } from 'vitest';
import type { Finding } from '../../../../src/engine/component.ts';
import { statementsOf } from '../../../../examples/postgres/shipped-sql.ts';
import type { TestPostgres } from '../../../support/postgres/test-postgres.ts';

/**
 * Breaks something, asks for the findings of `siphon doctor`, and runs their repairs or other statements. Afterwards there
 * must be no flaw. Returns the findings.
 */
export async function provokedFindings(
  { sql }: Pick<TestPostgres, 'sql'>,
  flaws: () => Promise<Finding[]>,
  { breaking, mending = '' }: { readonly breaking: string; readonly mending?: string },
): Promise<Finding[]> {
  await sql(breaking);
  const found = await flaws();
  const repairs = mending === '' ? found.map(({ repair }) => repair ?? '') : [mending];
  for (const repair of repairs) for (const statement of statementsOf(repair)) await sql(statement);
  expect(await flaws()).toEqual([]);
  return found;
}
