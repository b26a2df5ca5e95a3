/** A request that breaks its encoding. The message says what is wrong where, and may be shown to the sender. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}
