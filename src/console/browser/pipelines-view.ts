/** The pipelines that run, with what flows through their components. */
import { html, nothing, render, type TemplateResult } from 'lit-html';
import type { DataSource, Sample } from '../data-source.ts';
import { textOf } from '../unit-text.ts';
import { AskedView } from './asked-view.ts';
import type { PageView, Stage } from './page-view.ts';
import { telemetry, type Pipeline, type RunningService } from './store/telemetry-client.ts';

const POLL_MS = 2000;

/** The sidecar's own metrics by signal: their names end with these words. */
const ITEMS: Readonly<Record<string, string>> = {
  traces: 'spans',
  metrics: 'metric_points',
  logs: 'log_records',
};

/** The counters of each kind of component. */
const RATES = {
  receiver: { label: 'receiver', good: 'otelcol_receiver_accepted', bad: 'otelcol_receiver_refused' },
  exporter: { label: 'exporter', good: 'otelcol_exporter_sent', bad: 'otelcol_exporter_send_failed' },
} as const;

/** Items a second by kind, metric and component. */
type Rates = ReadonlyMap<string, number>;

export function pipelinesView({ top, main }: Stage, source: DataSource): PageView {
  render(nothing, top);
  const view = new AskedView(main, {
    ask: async () => await Promise.all([telemetry.service(), rates(source), drops(source)]),
    draw: (answers) => page(...answers),
    everyMs: POLL_MS,
  });
  return view.start();
}

/** Without a history there are no rates, but still pipelines. */
async function rates(source: DataSource): Promise<Rates | undefined> {
  const known = new Map<string, number>();
  const asked = Object.values(RATES).flatMap(({ label, good, bad }) =>
    [good, bad].flatMap((metric) =>
      Object.values(ITEMS).map(async (items) => {
        const name = `${metric}_${items}`;
        const samples = await source.at(`sum by (${label}) (rate(${name}[1m]))`, Date.now() / 1000);
        for (const { labels, value } of samples) known.set(`${name} ${labels[label]}`, value);
      }),
    ),
  );
  return await Promise.all(asked).then(
    () => known,
    () => undefined,
  );
}

/** Everything that was lost since the start, by reason. */
async function drops(source: DataSource): Promise<readonly Sample[]> {
  return await source.at('siphon_dropped_items > 0', Date.now() / 1000).catch(() => []);
}

function page(service: RunningService, known: Rates | undefined, lost: readonly Sample[]): TemplateResult {
  const { version, status, degraded, uptimeSeconds, extensions, pipelines } = service;
  return html`<section class="trace">
    <h2>siphon ${version}: ${status}</h2>
    <p class="facts">
      <span>runs for ${textOf(uptimeSeconds, 's')}</span>
      <span>extensions: ${extensions.length === 0 ? 'none' : extensions.join(', ')}</span>
    </p>
    ${degraded.map((reason) => html`<p class="warning">${reason}</p>`)}
    ${
      known === undefined
        ? html`<p class="quiet">
            Rates are unknown: add the extension metrics_history, and name it in the key history of the exporter
            prometheus.
          </p>`
        : nothing
    }
    ${pipelines.map((pipeline) => pipelineRow(pipeline, known))}
    <h3>Dropped since the start</h3>
    ${
      lost.length === 0
        ? html`<p class="good">${known === undefined ? 'Unknown' : '✓ Nothing'}</p>`
        : html`<table class="rows">
            <tbody>
              ${lost.map(
                ({ labels: { receiver, processor, exporter, connector, otel_signal = '', reason = '' }, value }) =>
                  html`<tr>
                    <td class="text">${receiver ?? processor ?? exporter ?? connector}</td>
                    <td>${otel_signal}</td>
                    <td class="text">${reason}</td>
                    <td class="number bad">${textOf(value, 'short')}</td>
                  </tr>`,
              )}
            </tbody>
          </table>`
    }
  </section>`;
}

function pipelineRow({ id, receivers, processors, exporters }: Pipeline, known: Rates | undefined): TemplateResult {
  const items = ITEMS[id.split('/')[0] ?? ''] ?? '';
  const box = (kind: 'receiver' | 'processor' | 'exporter', name: string): TemplateResult => {
    const numbers = kind === 'processor' ? nothing : numbersOf(RATES[kind], { name, items, known });
    return html`<li class="box ${kind}"><b>${name}</b><small>${kind}</small>${numbers}</li>`;
  };
  return html`<h3>${id}</h3>
    <div class="pipeline" role="group" aria-label=${id}>
      <ul>
        ${receivers.map((name) => box('receiver', name))}
      </ul>
      ${processors.map(
        (name) =>
          html`<ul>
            ${box('processor', name)}
          </ul>`,
      )}
      <ul>
        ${exporters.map((name) => box('exporter', name))}
      </ul>
    </div>`;
}

function numbersOf(
  { good, bad }: (typeof RATES)['receiver' | 'exporter'],
  { name, items, known }: { readonly name: string; readonly items: string; readonly known: Rates | undefined },
): TemplateResult | typeof nothing {
  const rate = known?.get(`${good}_${items} ${name}`);
  const failed = known?.get(`${bad}_${items} ${name}`) ?? 0;
  if (rate === undefined) return nothing;
  return html`<span>${textOf(rate, 'short')} ${items.replace('_', ' ')}/s</span>
    ${failed > 0 ? html`<span class="bad">${textOf(failed, 'short')}/s refused or failed</span>` : nothing}`;
}
