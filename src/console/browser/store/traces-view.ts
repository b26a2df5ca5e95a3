/** The newest traces, with filters and their durations as a histogram. */
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import type { TraceSummary } from '../../../engine/stored-telemetry.ts';
import { durationBuckets } from '../../duration-buckets.ts';
import { counted, durationText } from '../../store-text.ts';
import { address, openAddress } from '../address.ts';
import { AskedView } from '../asked-view.ts';
import { comparisonAddress } from '../../trace-pair.ts';
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
  { name: 'min_duration', label: 'At least', placeholder: '200ms', isShort: true },
  { name: 'max_duration', label: 'At most', placeholder: '5s', isShort: true },
  { name: 'attribute', label: 'Attribute', placeholder: 'http.route=/cart' },
  { name: 'since', label: 'Since', placeholder: '15m', isShort: true },
  { name: 'until', label: 'Until', placeholder: '10m', isShort: true },
] as const;

export function tracesView({ top, main }: Stage): PageView {
  const filters = new Filters(FIELDS, () => void view.ask());
  const choice = new PairChoice(() => void view.ask());
  const view = new AskedView(main, {
    ask: async () => await telemetry.traces({ ...filters.values, limit: LIMIT }),
    draw: (found) => html`${choice.line()} ${list(found, choice)}`,
    everyMs: POLL_MS,
  });
  render(html`${openForm()}${filters.form()}`, top);
  return view.start();
}

/** Two traces to compare. A third one replaces the first. */
class PairChoice {
  readonly #changed: () => void;
  #ids: readonly string[];

  constructor(changed: () => void) {
    this.#changed = changed;
    // A trace leads here to find another one.
    const first = address().searchParams.get('with');
    this.#ids = first === null ? [] : [first];
  }

  has(traceId: string): boolean {
    return this.#ids.includes(traceId);
  }

  toggle(traceId: string): void {
    this.#ids = this.has(traceId) ? this.#ids.filter((id) => id !== traceId) : [...this.#ids, traceId].slice(-2);
    this.#changed();
  }

  line(): TemplateResult | typeof nothing {
    const [first, second] = this.#ids;
    if (first === undefined) return nothing;
    return html`<p class="facts" role="status">
      ${
        second === undefined
          ? html`<span>Choose a trace to compare with <code>${first.slice(0, 16)}</code></span>`
          : html`<a href=${comparisonAddress(first, second)}>Compare the two traces</a>`
      }
    </p>`;
  }
}

function openForm(): TemplateResult {
  return html`<form class="choices inline" @submit=${openTrace}>
    <label>Trace id <input name="id" autocomplete="off" spellcheck="false" placeholder="4 digits or more" /></label>
    <button type="submit">Open</button>
  </form>`;
}

function openTrace(event: Event): void {
  event.preventDefault();
  const id = new FormData(event.target as HTMLFormElement).get('id');
  if (typeof id === 'string' && id.trim() !== '') openAddress(`/traces/${encodeURIComponent(id.trim())}`);
}

function list({ traces, left, hint }: TraceList, choice: PairChoice): TemplateResult {
  if (traces.length === 0) {
    const reason = hint ?? 'No trace fits. A service sends traces with node --import siphon-otel/preload app.js';
    return message('unknown', reason);
  }
  const longestMs = Math.max(...traces.map(({ durationMs }) => durationMs));
  return html`${histogram(traces)}
    <table class="rows">
      <thead>
        <tr>
          <th title="Choose two traces to compare them">Compare</th>
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
          (trace) => row(trace, longestMs, choice),
        )}
      </tbody>
    </table>
    ${left > 0 ? html`<p class="left-out">${left} more fit: choose a shorter time</p>` : nothing}`;
}

function row(trace: TraceSummary, longestMs: number, choice: PairChoice): TemplateResult {
  const { traceId, name, service, startTimeUnixNano, durationMs, spans, failedSpans, logs, hasRoot } = trace;
  const width = Math.max(1, (durationMs / Math.max(longestMs, 1e-6)) * 100);
  return html`<tr class=${failedSpans > 0 ? 'failed' : ''}>
    <td>
      <input
        type="checkbox"
        aria-label=${`Compare ${name} ${traceId}`}
        .checked=${choice.has(traceId)}
        @change=${() => choice.toggle(traceId)}
      />
    </td>
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
  return html`<figure class="durations">
    <figcaption>${counted(traces.length, 'trace')} by duration</figcaption>
    <div>
      ${buckets.map(
        ({ fromMs, toMs, count }) =>
          html`<div title=${`${counted(count, 'trace')} from ${durationText(fromMs)} to ${durationText(toMs)}`}>
            <b>${count === 0 ? nothing : count}</b><i style=${`height:${(count / highest) * 40}px`}></i>
            <span>${durationText(fromMs)}</span>
          </div>`,
      )}
      <div class="last"><span>${durationText(buckets.at(-1)?.toMs ?? 0)}</span></div>
    </div>
  </figure>`;
}
