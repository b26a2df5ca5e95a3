/** A request with an invalid encoding. The message describes the defect and its place, and may be shown to the sender. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}
