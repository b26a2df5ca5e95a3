/** An expression cannot be answered. The message is for the person who asks. */
export class PromqlError extends Error {
  override readonly name = 'PromqlError';
  readonly kind: ProblemKind;

  constructor(kind: ProblemKind, message: string) {
    super(message);
    this.kind = kind;
  }

  /** @param from the position in the text, from 0. */
  static at(from: number, problem: string): PromqlError {
    return new PromqlError('bad_data', `character ${from + 1}: ${problem}`);
  }
}

/** The names of the HTTP API: what is asked is wrong, it has no answer on these samples, or it takes too long. */
export type ProblemKind = 'bad_data' | 'execution' | 'timeout';
