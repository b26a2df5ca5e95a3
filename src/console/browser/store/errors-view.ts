/** The exceptions of the stored spans and log records, in groups. */
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import type { ErrorGroup, ErrorGroups } from '../../../engine/stored-telemetry.ts';
import { AskedView } from '../asked-view.ts';
import type { PageView, Stage } from '../page-view.ts';
import { message } from '../message.ts';
import { Filters } from './filter-form.ts';
import { clockOf } from './parts.ts';
import { telemetry } from './telemetry-client.ts';

const POLL_MS = 3000;

const FIELDS = [
  { name: 'service', label: 'Service', placeholder: 'any, * fits all' },
  { name: 'since', label: 'Since', placeholder: '15m', isShort: true },
] as const;

export function errorsView({ top, main }: Stage): PageView {
  const filters = new Filters(FIELDS, () => void view.ask());
  const view = new AskedView(main, {
    ask: async () => await telemetry.errors(filters.values),
    draw: list,
    everyMs: POLL_MS,
  });
  render(filters.form(), top);
  return view.start();
}

const NONE = 'No exception fits. The store holds recent traces and logs only';

function list({ errors, left, hint = NONE }: ErrorGroups): TemplateResult {
  if (errors.length === 0) return message('unknown', hint);
  return html`<div class="groups">
      ${repeat(errors, ({ service, type, stack, message: text }) => JSON.stringify([service, type, stack || text]), group)}
    </div>
    ${left > 0 ? html`<p class="left-out">${left} more groups</p>` : nothing}`;
}

function group({ service, type, message: text, count, counts, ...rest }: ErrorGroup): TemplateResult {
  const highest = Math.max(...counts);
  return html`<details class="group">
    <summary>
      <b class="number">${count}×</b>
      <span class="what"><b class="bad">${type || 'Error'}</b> ${text}</span>
      <span class="sparkline" aria-hidden="true"
        >${counts.map((one) => html`<i style=${`height:${(one / Math.max(1, highest)) * 100}%`}></i>`)}</span
      >
      <span class="quiet">${service}</span>
      <span class="quiet">first ${clockOf(rest.firstTimeUnixNano)}, last ${clockOf(rest.lastTimeUnixNano)}</span>
    </summary>
    ${rest.stack === '' ? html`<p class="quiet">It has no stack.</p>` : html`<pre>${rest.stack}</pre>`}
    <p class="facts">
      ${rest.traces.length === 0 ? 'No trace' : 'Traces'}
      ${rest.traces.map((id) => html`<a href=${`/traces/${id}`}>${id.slice(0, 16)}</a>`)}
    </p>
  </details>`;
}
