/** All dashboards with the data of a running demo, also in a browser. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPreview } from '../support/dashboards/built-page.ts';
import type { Preview } from '../../src/console/preview/server.ts';
import { PrometheusSource } from '../../src/console/prometheus-source.ts';
import { ruleFiles } from '../../src/dashboards/rules/rule-files.ts';
import { defaultSettings } from '../../src/dashboards/rules/settings.ts';
import { chromiumMissing, startBrowser } from '../support/dashboards/browser.ts';
import { sendMemoryUsage } from '../support/otlp/send-memory-usage.ts';
import {
  allPanelsHaveData,
  dashboards,
  eachPanel,
  notInADemo,
  panelsWithoutData,
  shownOn,
  variablesWithoutValues,
} from '../support/dashboards/panel-data.ts';
import { prometheusMissing } from '../support/prometheus/prometheus-server.ts';
import { waitFor } from '../support/wait-for.ts';
import { SCRAPE_S, MonitoredDemo } from '../support/dashboards/monitored-demo.ts';
import { shipped } from '../support/dashboards/shipped.ts';

const missing = prometheusMissing ?? chromiumMissing;
if (missing !== undefined) process.stderr.write(`The dashboards are not proved live: ${missing}\n`);

describe.skipIf(missing !== undefined)('dashboards of a running demo', () => {
  let watched: MonitoredDemo;
  let source: PrometheusSource;
  let preview: Preview;
  let browser: Browser;

  beforeAll(async () => {
    watched = await MonitoredDemo.start({ rules: ruleFiles(shipped, defaultSettings) });
    const { url } = watched.prometheus;
    source = new PrometheusSource(url);
    preview = await startPreview({ prometheus: new URL(url), dashboards, scrapeS: SCRAPE_S, port: 0 });
    browser = await startBrowser();
    await allPanelsHaveData(source);
  }, 150_000);

  afterAll(async () => {
    await browser?.close();
    await preview?.close();
    await watched?.[Symbol.asyncDispose]();
  });

  it.each(['15m', '6h', '7d', '30d'])('have data on every panel over %s, unless empty is healthy', async (range) => {
    expect(await panelsWithoutData(source, { range })).toEqual([]);
  });

  it.each(['15m', '30d'])('are asked nothing over %s that Prometheus does not understand', async (range) => {
    for (const { dashboard, panel } of eachPanel) await shownOn(source, dashboard, { panel, range });
  });

  it('show within 5 s what a service has just sent, where every 2 s are scraped', async () => {
    const dashboard = dashboards.find(({ uid }) => uid === 'siphon-pipeline')!;
    const panel = eachPanel.find(({ panel: { title } }) => title === 'Memory')!.panel;
    const sentAt = performance.now();
    await sendMemoryUsage('just-started', watched.demo.ports.otlpHttp);
    const isShown = async (): Promise<boolean> =>
      (await shownOn(source, dashboard, { panel, range: '1m' })).some((name) => name.startsWith('just-started'));
    await waitFor(isShown, { what: 'the new service on the panel' });
    expect(performance.now() - sentAt).toBeLessThan(5000);
  });

  it.each([
    'pipeline_operation_duration_seconds',
    'http_client_request_duration_seconds',
    'db_client_operation_duration_seconds',
  ])('lead from %s to traces', async (metric) => {
    await waitFor(async () => (await watched.prometheus.exemplars(`${metric}_bucket`)).length > 0, {
      what: 'an exemplar',
    });
  });

  it('have rules without evaluation errors', async () => {
    const rules = await waitFor(
      async () => {
        const all = await watched.prometheus.rules();
        return all.every(({ health }) => health !== 'unknown') && all;
      },
      { what: 'every rule to be evaluated' },
    );
    expect(rules.length).toBeGreaterThan(60);
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
  });

  it('know a value of every variable', async () => {
    const toS = Date.now() / 1000;
    expect(await variablesWithoutValues(source, { fromS: toS - 3600, toS })).toEqual([]);
  });

  it.each(dashboards)(
    '$title is drawn in a browser without an error, light and dark, wide and narrow',
    async ({ uid }) => {
      for (const look of LOOKS) {
        const page = await browser.newPage(look);
        const errors = listen(page);
        await page.goto(`${preview.url}/d/${uid}?from=now-15m&to=now&refresh=`);
        await drawn(page);
        expect(await unexplained(page)).toEqual([]);
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        expect(overflow, 'what is wider than the page').toBeLessThanOrEqual(0);
        expect(errors).toEqual([]);
        await keepPicture(page, `${uid}-${look.name}`);
        await page.close();
      }
    },
  );

  it('shows an error as an error when Prometheus does not answer', async () => {
    await using gone = await startPreview({
      prometheus: new URL('http://127.0.0.1:1'),
      dashboards,
      scrapeS: SCRAPE_S,
      port: 0,
    });
    const page = await browser.newPage();
    await page.goto(`${gone.url}/d/siphon-prices?refresh=`);
    await drawn(page);
    const texts = await page.locator('.panel[data-state=error] .note').allTextContents();
    expect(new Set(texts)).toEqual(new Set(['Prometheus at http://127.0.0.1:1 does not answer']));
    await page.close();
  });
});

const LOOKS = [
  { name: 'light', colorScheme: 'light', viewport: { width: 1280, height: 900 } },
  { name: 'dark', colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
  { name: 'phone', colorScheme: 'light', viewport: { width: 390, height: 844 } },
] as const;

/** Resolves when every panel that can be seen has its answer. */
async function drawn(page: Page): Promise<void> {
  await page.waitForSelector('.panel');
  const waiting = page.locator('details[open] .panel[data-state=loading]');
  await waitFor(async () => (await waiting.count()) === 0, { what: 'every panel to be drawn' });
}

function listen(page: Page): readonly string[] {
  const errors: string[] = [];
  page.on('pageerror', ({ message }) => errors.push(message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  return errors;
}

/** The panels that show an error, or that something is not known. */
async function unexplained(page: Page): Promise<readonly string[]> {
  const panels = await page.locator('.panel:is([data-state=error], [data-state=unknown])').all();
  const said = panels.map(
    async (panel) => `${await panel.getAttribute('aria-label')}: ${await panel.locator('.note').textContent()}`,
  );
  return (await Promise.all(said)).filter((text) => !notInADemo.has(text.split(':')[0]!));
}

/** Into the folder that the environment names, if it names one. */
async function keepPicture(page: Page, name: string): Promise<void> {
  const folder = process.env['SIPHON_PICTURES'];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
}
