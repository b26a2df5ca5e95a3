/** The newest traces, with filters and their durations as a histogram. */
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import type { TraceSummary } from '../../../engine/stored-telemetry.ts';
import { durationBuckets } from '../../duration-buckets.ts';
import { durationText } from '../../store-text.ts';
import { AskedView } from '../asked-view.ts';
import type { PageView, Stage } from '../page-view.ts';
import { message } from '../message.ts';
import { clockOf } from './parts.ts';
import { Filters } from './filter-form.ts';
import { telemetry, type TraceList } from './telemetry-client.ts';

const POLL_MS = 2000;
const LIMIT = '200';

const FIELDS = [
  { name: 'service', label: 'Service', placeholder: 'any, * fits all' },
  { name: 'operation', label: 'Operation', placeholder: 'GET /users/:id' },
  { name: 'status', label: 'Status', values: ['error', 'ok', 'unset'] },
  { name: 'min_duration', label: 'At least', placeholder: '200ms' },
  { name: 'max_duration', label: 'At most', placeholder: '5s' },
  { name: 'attribute', label: 'Attribute', placeholder: 'http.route=/cart' },
  { name: 'since', label: 'Since', placeholder: '15m' },
  { name: 'until', label: 'Until', placeholder: '10m' },
] as const;

export function tracesView({ top, main }: Stage): PageView {
  const filters = new Filters(FIELDS, () => void view.ask());
  const view = new AskedView(main, {
    ask: async () => await telemetry.traces({ ...filters.values, limit: LIMIT }),
    draw: list,
    everyMs: POLL_MS,
  });
  render(html`${filters.form()}${openForm()}`, top);
  return view.start();
}

function openForm(): TemplateResult {
  return html`<form class="choices" @submit=${openTrace}>
    <label>Trace id <input name="id" autocomplete="off" spellcheck="false" placeholder="4 digits or more" /></label>
    <button type="submit">Open</button>
  </form>`;
}

function openTrace(event: Event): void {
  event.preventDefault();
  const id = new FormData(event.target as HTMLFormElement).get('id');
  if (typeof id === 'string' && id.trim() !== '') location.assign(`/traces/${encodeURIComponent(id.trim())}`);
}

function list({ traces, left, hint }: TraceList): TemplateResult {
  if (traces.length === 0) {
    const reason = hint ?? 'No trace fits. A service sends traces with node --import siphon-otel/preload app.js';
    return message('unknown', reason);
  }
  const longestMs = Math.max(...traces.map(({ durationMs }) => durationMs));
  return html`${histogram(traces)}
    <table class="rows">
      <thead>
        <tr>
          <th>Start</th>
          <th>Service</th>
          <th>Name</th>
          <th class="number">Duration</th>
          <th class="number">Spans</th>
          <th class="number">Failed spans</th>
          <th class="number">Log lines</th>
        </tr>
      </thead>
      <tbody>
        ${repeat(
          traces,
          ({ traceId }) => traceId,
          (trace) => row(trace, longestMs),
        )}
      </tbody>
    </table>
    ${left > 0 ? html`<p class="left-out">${left} more fit: choose a shorter time</p>` : nothing}`;
}

function row(trace: TraceSummary, longestMs: number): TemplateResult {
  const { traceId, name, service, startTimeUnixNano, durationMs, spans, failedSpans, logs, hasRoot } = trace;
  const width = Math.max(1, (durationMs / Math.max(longestMs, 1e-6)) * 100);
  return html`<tr class=${failedSpans > 0 ? 'failed' : ''}>
    <td>${clockOf(startTimeUnixNano)}</td>
    <td class="text">${service}</td>
    <td class="text">
      <a href=${`/traces/${traceId}`}
        >${hasRoot ? nothing : html`<span title="Its root is not in the store">… </span>`}${name || '(no name)'}</a
      >
    </td>
    <td class="number meter"><i style=${`width:${width}%`}></i><span>${durationText(durationMs)}</span></td>
    <td class="number">${spans}</td>
    <td class="number ${failedSpans > 0 ? 'bad' : ''}">${failedSpans}</td>
    <td class="number">${logs}</td>
  </tr>`;
}

function histogram(traces: readonly TraceSummary[]): TemplateResult {
  const buckets = durationBuckets(traces.map(({ durationMs }) => durationMs));
  const highest = Math.max(...buckets.map(({ count }) => count));
  return html`<figure class="durations" aria-label="Durations of these traces">
    ${buckets.map(
      ({ fromMs, toMs, count }) =>
        html`<div title=${`${count} traces from ${durationText(fromMs)} to ${durationText(toMs)}`}>
          <b>${count === 0 ? nothing : count}</b><i style=${`height:${(count / highest) * 40}px`}></i>
          <span>${durationText(fromMs)}</span>
        </div>`,
    )}
  </figure>`;
}
