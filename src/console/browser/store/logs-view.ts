/** Log lines as they arrive, with filters. */
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import type { LogRecord } from '../../../engine/stored-telemetry.ts';
import { severityName, valueText } from '../../store-text.ts';
import type { PageView, Stage } from '../page-view.ts';
import { Polling } from '../polling.ts';
import { message } from '../message.ts';
import { Filters } from './filter-form.ts';
import { attributeTable, clockOf } from './parts.ts';
import { telemetry } from './telemetry-client.ts';

const POLL_MS = 1000;
const LIMIT = '300';
/** Older lines leave the page. */
const MAX_LINES = 1000;

const FIELDS = [
  { name: 'service', label: 'Service', placeholder: 'any, * fits all' },
  { name: 'severity', label: 'At least', values: ['debug', 'info', 'warn', 'error', 'fatal'] },
  { name: 'text', label: 'Text', placeholder: 'part of the line' },
  { name: 'attribute', label: 'Attribute', placeholder: 'user.plan=free' },
  { name: 'trace', label: 'Trace', placeholder: 'trace id' },
  { name: 'since', label: 'Since', placeholder: '15m', isShort: true },
] as const;

interface Line {
  readonly number: number;
  readonly log: LogRecord;
}

export function logsView({ top, main }: Stage): PageView {
  const tail = new Tail(main);
  const filters = new Filters(FIELDS, () => {
    tail.restart(filters.values);
    void tail.ask();
  });
  render(
    html`<div class="choices inline">
        <label
          ><input
            type="checkbox"
            checked
            @change=${(event: Event) => tail.follow((event.target as HTMLInputElement).checked)}
          />
          Follow</label
        >
      </div>
      ${filters.form()}`,
    top,
  );
  tail.restart(filters.values);
  const polling = new Polling(() => tail.ask(), POLL_MS);
  polling.start();
  return {
    end: () => {
      tail.end();
      polling.end();
    },
  };
}

/** The newest lines, the newest first. */
class Tail {
  readonly #main: HTMLElement;
  #query: Readonly<Record<string, string | undefined>> = {};
  #lines: readonly Line[] = [];
  #open = new Set<number>();
  #after: number | undefined;
  #count = 0;
  #question = 0;
  #isFollowing = true;

  constructor(main: HTMLElement) {
    this.#main = main;
  }

  restart(query: Readonly<Record<string, string | undefined>>): void {
    this.#query = query;
    this.#lines = [];
    this.#after = undefined;
    this.#open = new Set();
    this.end();
    render(message('loading', '…'), this.#main);
  }

  follow(isFollowing: boolean): void {
    this.#isFollowing = isFollowing;
  }

  end(): void {
    this.#question += 1;
  }

  async ask(): Promise<void> {
    if (!this.#isFollowing && this.#after !== undefined) return;
    const mine = (this.#question += 1);
    const after = this.#after === undefined ? {} : { after: String(this.#after) };
    const answer = await telemetry.logs({ ...this.#query, ...after, limit: LIMIT }).catch((error: Error) => error);
    if (mine !== this.#question) return;
    if (answer instanceof Error) return void render(message('error', answer.message), this.#main);
    this.#after = answer.next;
    const arrived = answer.logs.map((log) => ({ number: (this.#count += 1), log }));
    this.#lines = [...arrived.toReversed(), ...this.#lines].slice(0, MAX_LINES);
    this.#draw(answer.hint);
  }

  #draw(hint?: string): void {
    if (this.#lines.length === 0) {
      const reason = hint ?? 'No log line fits. The preload sends the lines of pino';
      return void render(message('unknown', reason), this.#main);
    }
    const body = html`<div class="log" role="log" aria-label="Log lines, the newest first">
      ${repeat(
        this.#lines,
        ({ number }) => number,
        (line) => this.#row(line),
      )}
    </div>`;
    render(body, this.#main);
  }

  #row({ number, log }: Line): TemplateResult {
    const { timeUnixNano, service, body, traceId, spanId, attributes, severityNumber } = log;
    const tone = severityNumber >= 17 ? 'bad' : severityNumber >= 13 ? 'warning' : 'quiet';
    const isOpen = this.#open.has(number);
    const toggle = (): void => {
      if (isOpen) this.#open.delete(number);
      else this.#open.add(number);
      this.#draw();
    };
    return html`<article class=${tone}>
      <button type="button" aria-expanded=${isOpen} @click=${toggle}>
        <time>${clockOf(timeUnixNano)}</time><b>${severityName(log)}</b><span class="quiet">${service}</span
        ><span class="body-text">${valueText(body)}</span>
      </button>
      ${
        traceId === undefined
          ? nothing
          : html`<a href=${`/traces/${traceId}${spanId === undefined ? '' : `?span=${spanId}`}`}>trace</a>`
      }
      ${isOpen ? html`<div class="details">${attributeTable('Attributes', attributes)}</div>` : nothing}
    </article>`;
  }
}
