/** The pipelines that run: what flows through them, the fate of all items, a tap on any edge, and the configuration. */
import { html, nothing, render, type TemplateResult } from 'lit-html';
import {
  droppedText,
  numberText,
  type AccountState,
  type NamedNumber,
  type PipelinesState,
  type PipelineState,
} from '../pipelines-state.ts';
import { textOf } from '../unit-text.ts';
import { AskedView } from './asked-view.ts';
import { showOrigin } from './number-origin.ts';
import type { PageView, Stage } from './page-view.ts';
import { Tap } from './tap.ts';
import { telemetry } from './store/telemetry-client.ts';

const POLL_MS = 3000;

export function pipelinesView({ top, main }: Stage): PageView {
  render(nothing, top);
  let shown: PipelinesState | undefined;
  let yaml: string | undefined;
  function draw(): void {
    if (shown !== undefined) render(page(shown, context), main);
  }
  const context: Context = {
    tap: new Tap(draw),
    yaml: () => yaml,
    askYaml: async () => {
      yaml = await telemetry.configuration().then(
        (answer) => answer.yaml,
        ({ message }: Error) => message,
      );
      draw();
    },
  };
  const view = new AskedView(main, {
    ask: async () => await telemetry.pipelines(),
    draw: (state) => page((shown = state), context),
    everyMs: POLL_MS,
  });
  view.start();
  return {
    end: () => {
      shown = undefined;
      context.tap.close();
      view.end();
    },
  };
}

interface Context {
  readonly tap: Tap;
  readonly yaml: () => string | undefined;
  readonly askYaml: () => Promise<void>;
}

function page(state: PipelinesState, context: Context): TemplateResult {
  const { version, status, degraded, uptimeSeconds, extensions, missing, pipelines, ledger } = state;
  return html`<section class="trace">
    <h2>siphon ${version}: ${status}</h2>
    <p class="facts">
      <span>runs for ${textOf(uptimeSeconds, 's')}</span>
      <span>extensions: ${extensions.length === 0 ? 'none' : extensions.join(', ')}</span>
    </p>
    ${[...degraded, ...missing].map((reason) => html`<p class="warning">${reason}</p>`)}
    ${pipelines.map((pipeline) => pipelineRow(pipeline, state.atUnixMs, context))}
    <h3>Where every item is</h3>
    ${
      ledger.length === 0
        ? html`<p class="quiet">Unknown: the numbers come from the extension metrics_history</p>`
        : ledgerTable(ledger)
    }
    <h3>Configuration</h3>
    <details @toggle=${() => void context.askYaml()}>
      <summary>Show it, without secrets</summary>
      <pre class="yaml">${context.yaml() ?? '…'}</pre>
    </details>
    <p class="quiet">
      <code>siphon doctor</code>, with the same <code>--config</code>, checks the databases, addresses and files that it
      uses. The page does not, because these checks open connections.
    </p>
  </section>`;
}

function pipelineRow({ id, stages, edges }: PipelineState, atUnixMs: number, { tap }: Context): TemplateResult {
  return html`<h3>${id}</h3>
    <div class="pipeline" role="group" aria-label=${id}>
      ${stages.map(
        (stage, index) =>
          html`${index === 0 ? nothing : edgeOf(edges[index - 1] ?? [], { id, edge: index - 1, atUnixMs, tap })}
            <ul>
              ${stage.map(
                ({ kind, id: name, numbers }) =>
                  html`<li class="box ${kind}">
                    <b>${name}</b><small>${kind}</small>${numbers.map((one) => numberOf(one, atUnixMs))}
                  </li>`,
              )}
            </ul>`,
      )}
    </div>
    ${tap.isOf(id) ? tap.panel() : nothing}`;
}

interface EdgeContext {
  readonly id: string;
  readonly edge: number;
  readonly atUnixMs: number;
  readonly tap: Tap;
}

function edgeOf(numbers: readonly NamedNumber[], { id, edge, atUnixMs, tap }: EdgeContext): TemplateResult {
  const isOpen = tap.isOf(id, edge);
  return html`<div class="edge">
    ${numbers.map((one) => numberOf(one, atUnixMs))}
    <span aria-hidden="true" class="arrow"></span>
    <button
      type="button"
      class="tap"
      aria-pressed=${isOpen}
      aria-label=${`Tap edge ${edge} of ${id}`}
      title="Show items that pass here"
      @click=${() => (isOpen ? tap.close() : tap.open(id, edge))}
    >
      tap
    </button>
  </div>`;
}

function numberOf(number: NamedNumber, atUnixMs: number): TemplateResult {
  const { value, expression, isBad } = number;
  const show = (event: Event): void => showOrigin(event.currentTarget as HTMLElement, { expression, atUnixMs, value });
  return html`<button type="button" class=${`plain ${isBad ? 'bad' : ''}`} tabindex="-1" @click=${show}>
    ${numberText(number)}
  </button>`;
}

function ledgerTable(ledger: readonly AccountState[]): TemplateResult {
  return html`<p class="quiet">
      For each pipeline and exporter: accepted = delivered + waiting + dropped. A remainder other than 0 is a defect.
    </p>
    <div class="scrolled" tabindex="0" role="region" aria-label="Ledger">
      <table class="rows">
        <thead>
          <tr>
            <th>Account</th>
            <th>Signal</th>
            ${['Accepted', 'Delivered', 'Waiting', 'Dropped', 'Remainder'].map((name) => html`<th class="number">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${ledger.map(
            ({ account, signal, accepted, delivered, waiting, dropped, difference }) =>
              html`<tr>
                <td class="text">${account}</td>
                <td>${signal}</td>
                ${[accepted, delivered, waiting].map((count) => html`<td class="number">${count}</td>`)}
                <td class="number">${droppedText(dropped)}</td>
                <td class=${`number ${difference === 0 ? '' : 'bad'}`}>${difference}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}
