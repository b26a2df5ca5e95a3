/** Two traces next to each other. */
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { durationText, signedText } from '../../store-text.ts';
import {
  remarkOn,
  type ComparedError,
  type ComparedOperation,
  type ComparedTrace,
  type OperationTimes,
  type TraceComparison,
} from '../../trace-comparison.ts';
import { comparisonAddress } from '../../trace-pair.ts';
import { AskedView } from '../asked-view.ts';
import type { PageView, Stage } from '../page-view.ts';
import { momentOf } from './parts.ts';
import { telemetry } from './telemetry-client.ts';

/** More of the traces may arrive. */
const POLL_MS = 5000;

export function comparisonView(ids: readonly [string, string], { top, main }: Stage): PageView {
  render(
    html`<a href="/traces">← All traces</a> <a href=${comparisonAddress(ids[1], ids[0])}>The other way round</a>`,
    top,
  );
  const view = new AskedView(main, {
    ask: async () => await telemetry.traceComparison(ids),
    draw: page,
    everyMs: POLL_MS,
  });
  return view.start();
}

function page({ first, second, operations, errors }: TraceComparison): TemplateResult {
  const longestMs = Math.max(...operations.map(({ differenceMs }) => Math.abs(differenceMs)), 1e-6);
  return html`<section class="trace">
    <h2>${headline(second.durationMs - first.durationMs)}</h2>
    ${side('First', first)} ${side('Second', second)}
    <h3>Operations by difference of own time</h3>
    <div class="scrolled" tabindex="0" role="region" aria-label="Operations">
      <table class="rows">
        <thead>
          <tr>
            <th>Service</th>
            <th>Operation</th>
            <th class="number">First</th>
            <th class="number">Second</th>
            <th class="number">Difference</th>
            <th></th>
            <th class="number">Spans</th>
            <th></th>
          </tr>
        </thead>
        <tbody>
          ${operations.map((operation) => row(operation, longestMs))}
        </tbody>
      </table>
    </div>
    <h3>Errors</h3>
    ${
      errors.length === 0
        ? html`<p class="good">✓ None</p>`
        : html`<ul>
            ${errors.map(errorRow)}
          </ul>`
    }
  </section>`;
}

function headline(differenceMs: number): string {
  if (differenceMs === 0) return 'Both traces took the same time';
  return `The second trace took ${durationText(Math.abs(differenceMs))} ${differenceMs > 0 ? 'longer' : 'less'}`;
}

function side(title: string, trace: ComparedTrace): TemplateResult {
  const { traceId, service, name, startTimeUnixNano, durationMs, spanCount, leftSpans, failedSpans, errors } = trace;
  return html`<p class="facts">
    <b>${title}</b>
    <a href=${`/traces/${traceId}`}>${service}: ${name || '(no name)'}</a>
    <code>${traceId}</code>
    <time>${momentOf(BigInt(startTimeUnixNano))}</time>
    <b>${durationText(durationMs)}</b>
    <span>${spanCount} spans</span>
    <span class=${failedSpans > 0 ? 'bad' : ''}>${failedSpans} failed</span>
    <span class=${errors > 0 ? 'bad' : ''}>${errors} errors</span>
    ${leftSpans > 0 ? html`<span class="warning">${leftSpans} spans are not compared</span>` : nothing}
  </p>`;
}

function row(operation: ComparedOperation, longestMs: number): TemplateResult {
  const { service, name, kind, first, second, differenceMs } = operation;
  const tone = differenceMs > 0 ? 'bad' : 'good';
  return html`<tr class=${(second?.failed ?? 0) > (first?.failed ?? 0) ? 'failed' : ''}>
    <td class="text">${service}</td>
    <td class="text">${name || '(no name)'} <small class="quiet">${kind}</small></td>
    <td class="number">${ownTime(first)}</td>
    <td class="number">${ownTime(second)}</td>
    <td class="number">${signedText(differenceMs)}</td>
    <td>
      <span class="share"><i class=${tone} style=${`width:${(Math.abs(differenceMs) / longestMs) * 100}%`}></i></span>
    </td>
    <td class="number">${first?.count ?? 0} → ${second?.count ?? 0}</td>
    <td class="text">${remarkOn(operation)}</td>
  </tr>`;
}

function ownTime(times: OperationTimes | undefined): string {
  return times === undefined ? '–' : durationText(times.selfMs);
}

function errorRow({ text, first, second }: ComparedError): TemplateResult {
  return html`<li class=${second > first ? 'bad' : ''}>${first} → ${second} ${text}</li>`;
}
