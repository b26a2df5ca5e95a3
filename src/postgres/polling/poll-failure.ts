import { StorageError } from '../../engine/storage.ts';
import { PostgresError, type PostgresFailure } from '../postgres-error.ts';

/** Why a poll gave nothing. Stable: metric labels. */
export type PollFailure = PostgresFailure | 'pipeline_refused' | 'storage' | 'internal';

/** Those that may be gone with the next poll. The others stay until somebody repairs them. */
export const passingFailures: readonly PollFailure[] = [
  'connection',
  'unavailable',
  'too_many_connections',
  'timeout',
  'lock_timeout',
];

/** What was read has not been taken. */
export class PipelineRefusal extends Error {
  override readonly name = 'PipelineRefusal';
}

export function reasonOf(error: unknown): PollFailure {
  if (error instanceof PostgresError) return error.reason;
  if (error instanceof StorageError) return 'storage';
  return error instanceof PipelineRefusal ? 'pipeline_refused' : 'internal';
}

export function concernsDatabase(error: unknown): boolean {
  return error instanceof PostgresError && error.concernsDatabase;
}
