import { PostgresError } from '../../../../postgres/postgres-error.ts';

/**
 * Adds a hint to timeouts: a smaller batch would not help, because the whole table is read either way.
 *
 * @throws what the reading throws
 */
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
