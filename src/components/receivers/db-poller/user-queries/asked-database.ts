import { PostgresError } from '../../../../postgres/postgres-error.ts';
import type { ReadOnlyPool, Row, TransactionLimits } from '../../../../postgres/read-only-pool.ts';

export interface AskedDatabase {
  /** Runs one statement. @throws PostgresError */
  readonly ask: (text: string, values: readonly unknown[]) => Promise<readonly Row[]>;
  /** The plan of a statement, or why it cannot be planned. @throws PostgresError if the database does not answer */
  readonly plan: (text: string) => Promise<unknown>;
}

/** The database as `userTable` asks it. */
export function askedDatabase(pool: ReadOnlyPool, limits: TransactionLimits): AskedDatabase {
  return {
    ask: async (text, values) => (await pool.query({ text, values, ...limits, maxRows: 1 })).rows,
    plan: async (text) => {
      try {
        return await pool.transaction(limits, async (transaction) => await transaction.plan(text));
      } catch (error) {
        if (!(error instanceof PostgresError) || error.concernsDatabase) throw error;
        return error;
      }
    },
  };
}
