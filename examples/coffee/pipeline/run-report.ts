import type { PriceJobErrorType } from 'siphon-otel/pipeline';
import { FetchError } from './fetch-products.ts';

/** The result of a run, which the pipeline reports to its parent process. */
export interface RunReport {
  readonly jobType: 'full' | 'price_only';
  readonly source: string;
  readonly status: 'ok' | 'partial' | 'fail';
  readonly traceId: string | undefined;
  /** The error messages of the run's spans. */
  readonly errors: readonly string[];
}

export function errorTypeOf(error: unknown): PriceJobErrorType {
  if (error instanceof FetchError) return 'fetch';
  if (error instanceof Error && error.name === 'TimeoutError') return 'timeout';
  // node-postgres throws PostgreSQL errors with an SQLSTATE, and system errors with a code such as ECONNREFUSED.
  return error instanceof Error && ('code' in error || /connection|timeout exceeded/i.test(error.message))
    ? 'database'
    : 'other';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
