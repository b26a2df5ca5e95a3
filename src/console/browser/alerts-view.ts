/** The alerts of the rules that the sidecar evaluates. */
import { html, nothing, render, type TemplateResult } from 'lit-html';
import { repeat } from 'lit-html/directives/repeat.js';
import {
  alertList,
  NO_RULES,
  ownLabels,
  silenceAddress,
  type AlertList,
  type ListedAlert,
  type ShownRule,
} from '../alerts.ts';
import { counted } from '../store-text.ts';
import { textOf } from '../unit-text.ts';
import { AskedView } from './asked-view.ts';
import { message } from './message.ts';
import type { PageView, Stage } from './page-view.ts';
import { telemetry } from './store/telemetry-client.ts';

const POLL_MS = 5000;

export function alertsView({ top, main }: Stage): PageView {
  render(nothing, top);
  // A file of an incident has no Alertmanager.
  const servers = telemetry.alertmanagers().catch((): readonly string[] => []);
  const view = new AskedView(main, {
    ask: async () => ({ list: alertList(await telemetry.rules()), servers: await servers }),
    draw: ({ list, servers: known }) => (list.rules === 0 ? message('unknown', NO_RULES) : page(list, known)),
    everyMs: POLL_MS,
  });
  return view.start();
}

function page({ alerts, rules, broken, young }: AlertList, servers: readonly string[]): TemplateResult {
  const firing = alerts.filter(({ state }) => state === 'firing').length;
  return html`<section class="trace">
    <h2>${firing} firing, ${alerts.length - firing} pending</h2>
    <p class="facts"><span>${counted(rules, 'alert rule')}</span></p>
    <div class="groups">
      ${repeat(
        alerts,
        ({ rule, labels }) => JSON.stringify([rule.query, labels]),
        (alert) => row(alert, servers),
      )}
    </div>
    ${rulesTable('Rules without a verdict', broken, ({ lastError = '' }) => lastError)}
    ${rulesTable(
      'Rules that see less than they read',
      young,
      ({ reach = 0, seen = 0 }) =>
        `reads back ${textOf(reach, 's')}, has ${textOf(seen, 's')}: until then, what is older does not count`,
    )}
  </section>`;
}

function row(alert: ListedAlert, servers: readonly string[]): TemplateResult {
  const { labels, annotations, state, activeAt, keepFiringSince, value, rule } = alert;
  const { severity = '', alertname = '' } = labels;
  const own = ownLabels(alert);
  return html`<details class="group">
    <summary>
      <b class=${toneOf(state, severity)}>${state}</b>
      <span class="what"><b>${alertname}</b> ${annotations['summary'] ?? ''}</span>
      <span class="quiet">${severity}</span>
      <span class="quiet">since ${textOf((Date.now() - Date.parse(activeAt)) / 1000, 's')}</span>
    </summary>
    <p>${annotations['description'] ?? ''}</p>
    <p class="facts">
      <span>value ${String(Number(value))}</span>
      <span>since ${new Date(activeAt).toLocaleString('en-GB')}</span>
      ${own.map(([name, text]) => html`<code>${name}=${text}</code>`)}
      ${keepFiringSince === undefined ? nothing : html`<span>fine or absent since ${new Date(keepFiringSince).toLocaleTimeString('en-GB')}</span>`}
    </p>
    <p class="facts">${linksOf(annotations)} ${servers.map((server) => silenceLink(server, alert))}</p>
    <pre>${rule.query}</pre>
  </details>`;
}

function toneOf(state: string, severity: string): string {
  if (severity === 'none') return 'quiet';
  if (state !== 'firing') return 'warning';
  return severity === 'critical' ? 'bad' : 'warning';
}

/** Addresses come from rules, which a rule file may have from anywhere. */
function linksOf(annotations: Readonly<Record<string, string>>): readonly TemplateResult[] {
  const named = [
    ['Runbook', annotations['runbook_url']],
    ['Dashboard', localPathOf(annotations['dashboard_url'])],
    ['Sentry', annotations['sentry_url']],
  ] as const;
  return named.flatMap(([text, address]) =>
    address !== undefined && isFollowed(address)
      ? [html`<a href=${address} target="_blank" rel="noreferrer">${text}</a>`]
      : [],
  );
}

function silenceLink(server: string, alert: ListedAlert): TemplateResult {
  return html`<a href=${silenceAddress(server, alert)} target="_blank" rel="noreferrer" title=${`In ${server}`}
    >Silence</a
  >`;
}

function isFollowed(address: string): boolean {
  return address.startsWith('/d/') || /^https?:$/.test(URL.parse(address)?.protocol ?? '');
}

/** The console has the dashboards of Grafana under the same paths. */
function localPathOf(address: string | undefined): string | undefined {
  const url = address === undefined ? null : URL.parse(address);
  if (url === null || !url.pathname.startsWith('/d/')) return address;
  return url.pathname + url.search;
}

function rulesTable(
  title: string,
  rules: readonly ShownRule[],
  reason: (rule: ShownRule) => string,
): TemplateResult | typeof nothing {
  if (rules.length === 0) return nothing;
  return html`<details>
    <summary>${title}: ${rules.length}</summary>
    <table class="rows">
      <tbody>
        ${rules.map(
          (rule) =>
            html`<tr>
              <td class="text">${rule.name}</td>
              <td class="text quiet">${reason(rule)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </details>`;
}
