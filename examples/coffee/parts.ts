/** What was started, in order, and how each of it is ended. */
export class Parts {
  readonly #parts: { readonly name: string; readonly end: () => Promise<unknown> }[] = [];
  #ended: Promise<void> | undefined;

  add(name: string, end: () => Promise<unknown>): void {
    this.#parts.push({ name, end });
  }

  /** Ends the last started first, each even if another cannot be ended. Safe to call twice. */
  async end(progress: (step: string) => void): Promise<void> {
    this.#ended ??= this.#endEach(progress);
    await this.#ended;
  }

  async #endEach(progress: (step: string) => void): Promise<void> {
    const errors: unknown[] = [];
    for (const { name, end } of this.#parts.toReversed()) {
      await end().then(
        () => progress(`ended ${name}`),
        (error: unknown) => errors.push(error),
      );
    }
    if (errors.length > 0) throw new AggregateError(errors, `cannot end everything: ${errors.map(String).join('; ')}`);
  }
}
