/** The database: who waits for whom, sessions, statements, tables, and how the poller is. */
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import type { SeenLockWait } from '../../engine/stored-telemetry.ts';
import { readText, type DatabaseState, type TableLine, type TableState } from '../database-state.ts';
import { isGoingOn, lockWaitLines, noWaitsText, waitingSessionText } from '../lock-wait-text.ts';
import { counted } from '../store-text.ts';
import { textOf } from '../unit-text.ts';
import { AskedView } from './asked-view.ts';
import { showOrigin } from './number-origin.ts';
import type { PageView, Stage } from './page-view.ts';
import { telemetry } from './store/telemetry-client.ts';

const POLL_MS = 3000;

export function databaseView({ top, main }: Stage): PageView {
  render(html`<a href="/d/siphon-database">Graphs of the database</a>`, top);
  const view = new AskedView(main, {
    ask: async () => await telemetry.database(),
    draw: page,
    everyMs: POLL_MS,
  });
  return view.start();
}

function page(state: DatabaseState): TemplateResult {
  const { tables, lockWaits = [], left = 0, missing, atUnixMs } = state;
  const now = lockWaits.filter(isGoingOn);
  const over = lockWaits.filter((wait) => !isGoingOn(wait));
  return html`<section class="trace">
    ${missing.map((reason) => html`<p class="warning">${reason}</p>`)}
    <h3>Waits for locks</h3>
    ${now.length === 0 ? html`<p class="quiet">${noWaitsText(state)}</p>` : waitList(now)}
    ${
      over.length === 0
        ? nothing
        : html`<details>
            <summary>${counted(over.length, 'wait is over', 'waits are over')}</summary>
            ${waitList(over)}
          </details>`
    }
    ${left > 0 ? html`<p class="left-out">${counted(left, 'more wait', 'more waits')} not shown</p>` : nothing}
    ${tables.map((table) => numberTable(table, atUnixMs))}
  </section>`;
}

function waitList(waits: readonly SeenLockWait[]): TemplateResult {
  return html`<div class="groups">${repeat(waits, ({ id }) => id, waitRow)}</div>`;
}

function waitRow(wait: SeenLockWait): TemplateResult {
  const { statement } = wait.waiter;
  return html`<article class="group">
    <p class="entry">
      ${waitingSessionText(wait)} ${statement === undefined ? nothing : traceLink(statement, 'Show the statement')}
    </p>
    ${lockWaitLines(wait).map(
      ({ text, depth, traceId, spanId = '' }) =>
        html`<p
          class=${`entry ${depth > 0 ? 'quiet' : isGoingOn(wait) ? 'bad' : 'warning'}`}
          style=${`padding-left:${(depth + 1) * 14}px`}
        >
          ${text} ${traceId === undefined ? nothing : traceLink({ traceId, spanId }, 'Show the transaction')}
        </p>`,
    )}
  </article>`;
}

function traceLink(
  { traceId, spanId }: { readonly traceId: string; readonly spanId: string },
  text: string,
): TemplateResult {
  return html`<a href=${`/traces/${encodeURIComponent(traceId)}?span=${encodeURIComponent(spanId)}`}>${text}</a>`;
}

function numberTable(table: TableState, atUnixMs: number): TemplateResult {
  const { title, labels, columns, lines, left, empty, gap } = table;
  if (lines.length === 0) {
    return html`<h3>${title}</h3>
      <p class="quiet">${empty}</p>`;
  }
  // One database needs no name.
  const shown = labels.map((_, index) => lines.some((line) => line.labels[index] !== lines[0]?.labels[index]));
  const named = labels.flatMap((_, index) => (shown[index] === true || index > 0 ? [index] : []));
  return html`<h3>${title} <small class="quiet">${readText(table)}</small></h3>
    <div class="scrolled" tabindex="0" role="region" aria-label=${title}>
      <table class="rows numbers-table">
        <thead>
          <tr>
            ${named.map((index) => html`<th>${labels[index]}</th>`)}
            ${columns.map(
              ({ name, expression }) =>
                html`<th class="number">
                  <button
                    type="button"
                    title="Where these numbers come from"
                    @click=${(event: Event) => showOrigin(event.currentTarget as HTMLElement, { expression, atUnixMs })}
                  >
                    ${name}
                  </button>
                </th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${lines.map((line) => tableRow(line, { named, columns, atUnixMs }))}
        </tbody>
      </table>
    </div>
    ${left > 0 ? html`<p class="left-out">${left} more are not shown</p>` : nothing}
    ${gap === undefined ? nothing : html`<p class="quiet">${gap}</p>`}`;
}

interface RowContext extends Pick<TableState, 'columns'> {
  /** The numbers of the labels that are shown. */
  readonly named: readonly number[];
  readonly atUnixMs: number;
}

function tableRow({ labels, values }: TableLine, { named, columns, atUnixMs }: RowContext): TemplateResult {
  return html`<tr>
    ${named.map((index) => html`<td class="text">${labels[index]}</td>`)}
    ${columns.map(({ expression, unit, warnsAbove = Infinity }, index) => {
      const value = values[index] ?? undefined;
      if (value === undefined) return html`<td class="number quiet">–</td>`;
      const show = (event: Event): void =>
        showOrigin(event.currentTarget as HTMLElement, { expression, atUnixMs, labels, value });
      return html`<td class=${`number ${value > warnsAbove ? 'warning' : ''}`}>
        <button type="button" tabindex="-1" @click=${show}>${textOf(value, unit)}</button>
      </td>`;
    })}
  </tr>`;
}
