/** A request with more messages than its receiver allows. The message may be shown to the sender. */
export class TooManyMessagesError extends Error {
  override readonly name = 'TooManyMessagesError';
}
