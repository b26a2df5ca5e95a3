import { PostgresError } from '../../../../postgres/postgres-error.ts';

/** Of which a timeout says how there can be more: a batch of fewer rows reads no less of the table. @throws whatever it throws */
export async function readingWholeTable<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (!(error instanceof PostgresError) || error.reason !== 'timeout' || error.repair !== undefined) throw error;
    throw new PostgresError('timeout', 'reading the whole table took too long', {
      cause: error,
      repair: 'Give it more time with reconcile_timeout',
    });
  }
}
