import type { PriceJobErrorType } from 'siphon-otel/pipeline';
import { FetchError } from './fetch-products.ts';

/** How a run went, for whoever watches the pipeline. */
export interface RunReport {
  readonly jobType: 'full' | 'price_only';
  readonly source: string;
  readonly status: 'ok' | 'partial' | 'fail';
  readonly traceId: string | undefined;
  /** The errors of the run's operations, as their spans carry them. */
  readonly errors: readonly string[];
}

export function errorTypeOf(error: unknown): PriceJobErrorType {
  if (error instanceof FetchError) return 'fetch';
  if (error instanceof Error && error.name === 'TimeoutError') return 'timeout';
  // node-postgres throws its own errors with an SQLSTATE, and the system's with a code like ECONNREFUSED.
  return error instanceof Error && ('code' in error || /connection|timeout exceeded/i.test(error.message))
    ? 'database'
    : 'other';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
