import { StorageError } from '../../engine/storage.ts';
import type { pollFailures } from '../../metrics/reasons.ts';
import { PostgresError } from '../postgres-error.ts';

export type PollFailure = (typeof pollFailures)[number];

/** The pipeline refused the result of a query. */
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
