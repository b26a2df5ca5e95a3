/**
 * Returns the value of `error.type`: the code of the error, for example `ECONNREFUSED` or `42P01`, else its name, for
 * example `TimeoutError`. The code of a DOMException is a number without meaning for readers. Codes and names that look
 * like data are `Error`. An application may abort with anything, so what is not an object is an `AbortError`.
 */
export function errorType(error: unknown): string {
  if (typeof error !== 'object' || error === null) return 'AbortError';
  const { code, name, cause } = error as { readonly code?: unknown; readonly name?: unknown; readonly cause?: unknown };
  // node:http wraps the reason; its code would be a second name for the same.
  if (name === 'AbortError') return isTimeout(cause) ? 'TimeoutError' : name;
  return [code, name].find(isIdentifier) ?? 'Error';
}

function isTimeout(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === 'TimeoutError';
}

function isIdentifier(value: unknown): value is string {
  return typeof value === 'string' && /^\w{1,50}$/.test(value);
}
