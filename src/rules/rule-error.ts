/** A rule cannot be used as it is written. The message is for the person who wrote it. */
export class RuleError extends Error {
  override readonly name = 'RuleError';
}
