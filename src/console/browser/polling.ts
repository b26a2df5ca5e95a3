/** Repeats work as long as the page can be seen; the next time begins after the work has ended. */
export class Polling {
  readonly #work: () => Promise<void>;
  readonly #everyMs: number;
  #timer = 0;
  #isEnded = false;

  constructor(work: () => Promise<void>, everyMs: number) {
    this.#work = work;
    this.#everyMs = everyMs;
  }

  start(): void {
    void this.#run();
  }

  end(): void {
    this.#isEnded = true;
    clearTimeout(this.#timer);
  }

  async #run(): Promise<void> {
    if (!document.hidden) await this.#work();
    if (!this.#isEnded) this.#timer = window.setTimeout(() => void this.#run(), this.#everyMs);
  }
}
