/** Shows the items that pass one edge of a pipeline, as long as it is open. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { itemLine, sampleText, type ShownSample } from '../tap-sample.ts';
import { address, replaceAddress } from './address.ts';
import { message } from './message.ts';
import { telemetry } from './store/telemetry-client.ts';

/** A page that was left open must not ask for ever. */
const MAX_OPEN_MS = 60_000;
const MAX_SHOWN = 100;

export class Tap {
  readonly #changed: () => void;
  #place: { readonly pipeline: string; readonly edge: number } | undefined;
  #last: ShownSample | Error | undefined;
  #items: readonly ShownSample['shown'][number][] = [];
  #isRunning = false;
  /** Answers to an earlier question are ignored. */
  #question = 0;

  /** @param changed draws the panel again. */
  constructor(changed: () => void) {
    this.#changed = changed;
    const { searchParams } = address();
    const pipeline = searchParams.get('tap');
    if (pipeline !== null) this.open(pipeline, Number(searchParams.get('edge') ?? 0));
  }

  isOf(pipeline: string, edge = this.#place?.edge): boolean {
    return this.#place?.pipeline === pipeline && this.#place.edge === edge;
  }

  open(pipeline: string, edge: number): void {
    this.#place = { pipeline, edge };
    this.#items = [];
    this.#last = undefined;
    const query = new URLSearchParams({ tap: pipeline, edge: String(edge) }).toString();
    replaceAddress(`${address().pathname}?${query}`);
    void this.#run();
  }

  close(): void {
    if (this.#place === undefined) return;
    this.#place = undefined;
    this.#question++;
    replaceAddress(address().pathname);
    this.#changed();
  }

  panel(): TemplateResult {
    const last = this.#last;
    return html`<section class="tapped" aria-label="Tap">
      ${
        last === undefined
          ? message('loading', 'Waits for what passes …')
          : last instanceof Error
            ? message('error', last.message)
            : html`<p class="quiet" role="status">${sampleText(last)}</p>`
      }
      ${
        this.#isRunning || last === undefined
          ? nothing
          : html`<p><button type="button" class="tap" @click=${() => void this.#run()}>Continue</button></p>`
      }
      <div class="log">
        ${this.#items.map(
          (item) =>
            html`<details>
              <summary>${itemLine(item)}</summary>
              <pre>${JSON.stringify(item, null, 2)}</pre>
            </details>`,
        )}
      </div>
    </section>`;
  }

  /** Asks for one sample after the other, for a minute. */
  async #run(): Promise<void> {
    const mine = ++this.#question;
    const place = this.#place;
    if (place === undefined) return;
    const untilMs = Date.now() + MAX_OPEN_MS;
    this.#isRunning = true;
    this.#changed();
    while (Date.now() < untilMs && !document.hidden) {
      const sample = await telemetry.tap(place.pipeline, place.edge).catch((error: Error) => error);
      if (mine !== this.#question) return;
      this.#last = sample;
      if (sample instanceof Error) break;
      this.#items = [...sample.shown, ...this.#items].slice(0, MAX_SHOWN);
      this.#changed();
    }
    this.#isRunning = false;
    this.#changed();
  }
}
