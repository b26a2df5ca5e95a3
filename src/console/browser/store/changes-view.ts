/** The properties that slow or failed traces have in common, and the traces around them do not. */
import { html, nothing, render, type TemplateResult } from 'lit-html';
import type { ComparedProperty, ComparedShare, ComparedTraces } from '../../../engine/stored-telemetry.ts';
import { comparisonText, percentText } from '../../comparison-text.ts';
import { AskedView } from '../asked-view.ts';
import { message } from '../message.ts';
import type { PageView, Stage } from '../page-view.ts';
import { Filters } from './filter-form.ts';
import { telemetry } from './telemetry-client.ts';

const POLL_MS = 10_000;

const FIELDS = [
  { name: 'between', label: 'Between', placeholder: '15m,10m' },
  { name: 'spans', label: 'Compare', values: ['slow', 'all'] },
  { name: 'status', label: 'Status', values: ['error', 'ok', 'unset'] },
  { name: 'min_duration', label: 'At least', placeholder: '200ms', isShort: true },
  { name: 'service', label: 'Service', placeholder: 'any, * fits all' },
  { name: 'operation', label: 'Operation', placeholder: 'where services begin' },
  { name: 'metric', label: 'Metric', placeholder: 'with exemplars' },
] as const;

export function changesView({ top, main }: Stage): PageView {
  const filters = new Filters(FIELDS, () => void view.ask());
  const view = new AskedView(main, {
    ask: async () => {
      const { values } = filters;
      return hasSelection(values) ? await telemetry.comparison(values) : undefined;
    },
    draw: (found) => (found === undefined ? message('unknown', HOW) : list(found, filters.values)),
    everyMs: POLL_MS,
  });
  render(filters.form(), top);
  return view.start();
}

const HOW =
  'Drag over a time on a dashboard and follow “What changed?”, or give a time such as 15m,10m: then you see what the slow and failed traces of that time have in common';

function hasSelection({ between, status, min_duration }: Filters['values']): boolean {
  return [between, status, min_duration].some((one) => (one ?? '') !== '');
}

function list(found: ComparedTraces, values: Filters['values']): TemplateResult {
  const { differences, left } = found;
  return html`<p class="about">${comparisonText(found)}</p>
    ${
      differences.length === 0
        ? nothing
        : html`<table class="rows changes">
            <thead>
              <tr>
                <th>Property</th>
                <th>Value</th>
                <th>Selected</th>
                <th>Around</th>
                <th class="number" title="With 95 % confidence, it is between the two numbers in brackets">
                  Difference
                </th>
                <th></th>
              </tr>
            </thead>
            <tbody>
              ${differences.map((one) => row(one, values))}
            </tbody>
          </table>`
    }
    ${left > 0 ? html`<p class="left-out">${left} more differ less</p>` : nothing}`;
}

function row(
  { attribute, value, selected, around, difference, low, high }: ComparedProperty,
  values: Filters['values'],
): TemplateResult {
  const bounds = `(${percentText(low)} to ${percentText(high)})`;
  return html`<tr>
    <td>${attribute ?? 'name of a span'}</td>
    <td class="value">${value}</td>
    <td>${share(selected, 'bad')}</td>
    <td>${share(around, 'quiet')}</td>
    <td class="number"><b>${percentText(difference)}</b> <small>${bounds}</small></td>
    <td><a href=${tracesWith(attribute, value, values)}>Traces</a></td>
  </tr>`;
}

function share({ count, of }: ComparedShare, tone: string): TemplateResult {
  if (of === 0) return html`none`;
  const width = (count / of) * 100;
  return html`<span class="share"><i class=${tone} style=${`width:${width}%`}></i></span> ${count} of ${of}`;
}

/** The list of the traces with the property, within the time. */
function tracesWith(
  attribute: string | undefined,
  value: string,
  { between = '', status = '' }: Filters['values'],
): string {
  const [since, until] = between.split(',');
  // A star stands for any text.
  const property = attribute === undefined ? { operation: value } : { attribute: `${attribute}=${value}` };
  const given = Object.entries({ ...property, status, since, until }).filter(([, one]) => (one ?? '') !== '');
  return `/traces?${new URLSearchParams(given as [string, string][]).toString()}`;
}
