import { render, type TemplateResult } from 'lit-html';
import { message } from './message.ts';
import type { PageView } from './page-view.ts';
import { Polling } from './polling.ts';

interface Question<T> {
  /** @throws Error with a message that a reader can act on. */
  readonly ask: () => Promise<T>;
  readonly draw: (answer: T) => TemplateResult;
  readonly everyMs: number;
}

/** Asks again and again, and draws the answer to the latest question, or the error. */
export class AskedView<T> implements PageView {
  readonly #main: HTMLElement;
  readonly #question: Question<T>;
  readonly #polling: Polling;
  #asked = 0;

  constructor(main: HTMLElement, question: Question<T>) {
    this.#main = main;
    this.#question = question;
    this.#polling = new Polling(() => this.ask(), question.everyMs);
  }

  start(): this {
    render(message('loading', '…'), this.#main);
    this.#polling.start();
    return this;
  }

  /** Never rejects. */
  async ask(): Promise<void> {
    const mine = (this.#asked += 1);
    const { ask, draw } = this.#question;
    const answer = await ask().catch((error: Error) => error);
    if (mine !== this.#asked) return;
    render(answer instanceof Error ? message('error', answer.message) : draw(answer), this.#main);
  }

  end(): void {
    this.#asked += 1;
    this.#polling.end();
  }
}
