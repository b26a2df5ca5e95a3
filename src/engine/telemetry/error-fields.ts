import { ConfigError } from '../config/config-error.ts';
import { describeError, withCauses } from '../describe-error.ts';
import { PermanentError, RetryableError } from '../errors.ts';
import { StorageError } from '../storage.ts';

/**
 * The fields of an error in a log line. The stack is included with `withStacks`, and if neither the error nor one of its
 * causes is a failure that siphon expects.
 */
export function errorFields(error: unknown, { withStacks }: { readonly withStacks: boolean }): unknown {
  if (!(error instanceof Error)) return error;
  const own = Object.entries(error).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
  return {
    ...Object.fromEntries(own),
    type: error.constructor.name,
    message: describeError(error),
    ...(withStacks || !withCauses(error).some(isExpected) ? { stack: error.stack } : {}),
  };
}

/** True for a failure with a known reason, whose message is enough. */
function isExpected(error: Error): boolean {
  if (error instanceof PermanentError || error instanceof RetryableError) return error.code !== 'internal';
  if (error instanceof StorageError) return error.reason !== 'other';
  // A failed system call, like a refused connection, has a `syscall`.
  return error instanceof ConfigError || 'reason' in error || 'syscall' in error;
}
