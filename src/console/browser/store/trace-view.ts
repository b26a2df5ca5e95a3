/** One trace as a waterfall, with errors and log lines in place. */
import { html, nothing, render, type TemplateResult } from 'lit-html';
import type { LockWait, LogRecord, Span, Trace } from '../../../engine/stored-telemetry.ts';
import { lockWaitLines, unknownWaitText, type LockWaitLine } from '../../lock-wait-text.ts';
import { seriesColor } from '../../series-color.ts';
import { counted, durationText, severityName, valueText } from '../../store-text.ts';
import { errorOf, errorsOf, errorText, failedOf } from '../../trace-errors.ts';
import { traceTree, type TraceRow, type TraceTree } from '../../trace-tree.ts';
import { traceAddress } from '../../trace.ts';
import type { PageSettings } from '../../page-settings.ts';
import { address, replaceAddress } from '../address.ts';
import type { PageView, Stage } from '../page-view.ts';
import { Polling } from '../polling.ts';
import { message } from '../message.ts';
import { attributeTable, momentOf } from './parts.ts';
import { telemetry } from './telemetry-client.ts';

/** More of the trace may arrive. */
const POLL_MS = 3000;
/** Deeper spans have the same indent. */
const MAX_DEPTH = 24;

export function traceView(id: string, { top, main }: Stage, settings: Pick<PageSettings, 'sentry'>): PageView {
  const waterfall = new Waterfall(main, settings.sentry);
  const ask = async (): Promise<void> => {
    const trace = await telemetry.trace(id).catch((error: Error) => error);
    if (!(trace instanceof Error)) waterfall.show(trace);
    else if (waterfall.isEmpty) render(message('error', trace.message), main);
  };
  render(html`<a href="/traces">← All traces</a>`, top);
  render(message('loading', '…'), main);
  const polling = new Polling(ask, POLL_MS);
  polling.start();
  return { end: () => polling.end() };
}

/** Draws a trace again if more of it has arrived or another span is selected. */
class Waterfall {
  readonly #main: HTMLElement;
  readonly #sentry: string | undefined;
  #shown: { readonly trace: Trace; readonly tree: TraceTree } | undefined;
  #selected = address().searchParams.get('span') ?? '';

  constructor(main: HTMLElement, sentry: string | undefined) {
    this.#main = main;
    this.#sentry = sentry;
  }

  get isEmpty(): boolean {
    return this.#shown === undefined;
  }

  show(trace: Trace): void {
    const known = this.#shown?.trace;
    if (known?.spanCount === trace.spanCount && known.logCount === trace.logCount) return;
    this.#shown = { trace, tree: traceTree(trace) };
    this.#draw();
  }

  #draw(): void {
    if (this.#shown === undefined) return;
    const { trace, tree } = this.#shown;
    const choice = {
      selected: this.#selected,
      select: (spanId: string) => this.#select(spanId),
      sentry: this.#sentry,
    };
    render(page(trace, tree, choice), this.#main);
  }

  /** Selects a span, or none if it is selected already. */
  #select(spanId: string): void {
    this.#selected = this.#selected === spanId ? '' : spanId;
    const query = this.#selected === '' ? '' : `?span=${this.#selected}`;
    replaceAddress(`${address().pathname}${query}`);
    this.#draw();
  }
}

interface Choice {
  readonly selected: string;
  readonly select: (spanId: string) => void;
  readonly sentry?: string | undefined;
}

function page(trace: Trace, tree: TraceTree, choice: Choice): TemplateResult {
  const { traceId, spans, logs, lockWaits, spanCount, logCount } = trace;
  const colors = new Map<string, string>();
  for (const { service } of spans) seriesColor(service, colors);
  const [first] = tree.rows;
  const errors = errorsOf(spans, logs).length;
  const failed = failedOf(spans).length;
  const missing = [
    [spanCount - spans.length, 'span'],
    [logCount - logs.length, 'log line'],
  ] as const;
  return html`<section class="trace">
    <h2>${first === undefined ? 'Trace' : `${first.span.service}: ${first.span.name}`}</h2>
    <p class="facts">
      <code>${traceId}</code>
      <time>${momentOf(tree.startTimeUnixNano)}</time>
      <b>${durationText(tree.durationMs)}</b>
      <span>${counted(spanCount, 'span')}</span>
      <span class=${failed > 0 ? 'bad' : ''}>${failed} failed</span>
      <span class=${errors > 0 ? 'bad' : ''}>${counted(errors, 'error')}</span>
      <span>${counted(logCount, 'log line')}</span>
      <a href=${`/logs?trace=${traceId}`}>Logs of this trace</a>
      <a href=${othersLike(traceId, first?.span)}>Compare with another</a>
      ${
        choice.sentry === undefined
          ? nothing
          : html`<a href=${traceAddress(choice.sentry, traceId)} target="_blank" rel="noreferrer">In Sentry</a>`
      }
    </p>
    <p class="legend-line">
      ${[...colors].map(([service, color]) => html`<span><i style=${`background:${color}`}></i>${service}</span>`)}
      <span class="quiet"
        >A line below a bar marks the critical path: without these parts the trace would be shorter.</span
      >
    </p>
    <div class="waterfall" role="tree" aria-label="Spans" @keydown=${moveFocus}>
      ${tree.rows.map((row, index) => spanRow(row, { tree, colors, choice, waits: lockWaits, index }))}
    </div>
    ${
      tree.logs.length === 0
        ? nothing
        : html`<h3>Log lines of no span here</h3>
            <div class="waterfall">${tree.logs.map((log) => logLine(log, 0))}</div>`
    }
    ${missing.map(([count, name]) => (count > 0 ? html`<p class="left-out">${counted(count, name)} more</p>` : nothing))}
  </section>`;
}

/** The list of the traces with the same operation. The reader chooses one of them. */
function othersLike(traceId: string, top: Span | undefined): string {
  const filters = top === undefined ? {} : { service: top.service, operation: top.name };
  return `/traces?${new URLSearchParams({ ...filters, with: traceId }).toString()}`;
}

interface RowContext {
  readonly tree: TraceTree;
  readonly colors: ReadonlyMap<string, string>;
  readonly choice: Choice;
  readonly waits: readonly LockWait[];
  readonly index: number;
}

function spanRow(row: TraceRow, { tree, colors, choice, waits, index }: RowContext): TemplateResult {
  const { span, depth, offsetMs, selfMs, isCritical } = row;
  const { spanId, name, service, durationMs, status } = span;
  const total = Math.max(tree.durationMs, 1e-6);
  const left = Math.min(100, Math.max(0, (offsetMs / total) * 100));
  const width = Math.min(100 - left, Math.max(0.15, (durationMs / total) * 100));
  const isOpen = choice.selected === spanId;
  const isFailed = status.code === 'error';
  return html`<div
      class="span ${isFailed ? 'failed' : ''} ${isOpen ? 'open' : ''}"
      role="treeitem"
      aria-level=${depth + 1}
      aria-expanded=${isOpen}
      aria-selected=${isOpen}
      tabindex=${index === 0 || isOpen ? 0 : -1}
      @click=${() => choice.select(spanId)}
    >
      <span class="label" style=${`padding-left:${Math.min(depth, MAX_DEPTH) * 14}px`} title=${name}>
        ${isFailed ? html`<b class="bad" title="Error">✗ </b>` : nothing}${name || '(no name)'}
        <small>${service}</small>
      </span>
      <span class="track">
        <i
          class=${isCritical ? 'critical' : ''}
          style=${`left:${left}%;width:${width}%;background:${colors.get(service) ?? ''}`}
        ></i>
      </span>
      <span class="number">${durationText(durationMs)}</span>
      <span class="number quiet" title="Without its children">${durationText(selfMs)} self</span>
    </div>
    ${problemsOf(row)} ${waitsOf(span, depth + 1, waits)} ${row.logs.map((log) => logLine(log, depth + 1))}
    ${isOpen ? details(row) : nothing}`;
}

/** The exceptions of the span; its status if it contains more. */
function problemsOf({ span, depth }: TraceRow): TemplateResult | typeof nothing {
  const errors = span.events
    .map(({ attributes }) => errorOf(span.spanId, attributes))
    .filter((one) => one !== undefined);
  const { message: text = '' } = span.status;
  const texts = [
    ...(text !== '' && !errors.some((error) => error.message === text) ? [text] : []),
    ...errors.map((error) => [errorText(error), error.place].filter((part) => part !== '').join(' ')),
  ];
  if (texts.length === 0) return nothing;
  return html`${texts.map(
    (one) => html`<p class="entry bad" style=${`padding-left:${Math.min(depth + 1, MAX_DEPTH) * 14}px`}>${one}</p>`,
  )}`;
}

/** Names the transactions that the statement waited for, with links to their traces. */
function waitsOf(span: Span, depth: number, waits: readonly LockWait[]): TemplateResult {
  const remark = unknownWaitText(span);
  const lines = waits.filter(({ spanId }) => spanId === span.spanId).flatMap(lockWaitLines);
  const all: LockWaitLine[] = [...lines, ...(remark === undefined ? [] : [{ text: remark, depth: 0 }])];
  return html`${all.map(
    (line) =>
      html`<p
        class=${`entry ${line.depth === 0 ? 'warning' : 'quiet'}`}
        style=${`padding-left:${Math.min(depth + line.depth, MAX_DEPTH) * 14}px`}
      >
        ${line.text}
        ${
          line.traceId === undefined
            ? nothing
            : html`<a href=${`/traces/${line.traceId}?span=${line.spanId}`}>Show the transaction</a>`
        }
      </p>`,
  )}`;
}

function logLine(log: LogRecord, depth: number): TemplateResult {
  const tone = log.severityNumber >= 17 ? 'bad' : log.severityNumber >= 13 ? 'warning' : 'quiet';
  return html`<p class="entry" style=${`padding-left:${Math.min(depth, MAX_DEPTH) * 14}px`}>
    <b class=${tone}>${severityName(log)}</b> ${valueText(log.body)}
  </p>`;
}

function details({ span, isOrphan, selfMs, offsetMs }: TraceRow): TemplateResult {
  return html`<div class="details">
    <p class="facts">
      <span>span <code>${span.spanId}</code></span>
      <span>${span.kind}</span>
      <span>begins after ${durationText(offsetMs)}</span>
      <span>${durationText(selfMs)} without its children</span>
      ${isOrphan ? html`<span class="warning">its parent ${span.parentSpanId} is not in the store</span>` : nothing}
    </p>
    ${attributeTable('Attributes', span.attributes)}
    ${span.events.map((event) => attributeTable(`Event ${event.name}`, event.attributes))}
    <details>
      <summary>Resource</summary>
      ${attributeTable('', span.resource)}
    </details>
  </div>`;
}

/** Arrows lead from span to span, Enter opens one. */
function moveFocus(event: KeyboardEvent): void {
  const items = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('[role=treeitem]')];
  const at = items.findIndex((item) => item === document.activeElement);
  if (event.key === 'Enter' || event.key === ' ') {
    event.preventDefault();
    items[at]?.click();
    return;
  }
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  items[to]?.focus();
}
