/** The console of a real sidecar in a real browser, with telemetry of a real service. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PrometheusSource } from '../../src/console/prometheus-source.ts';
import { chromiumMissing, startBrowser } from '../support/dashboards/browser.ts';
import { openStrictly, type StrictPage } from '../support/dashboards/strict-page.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';

if (chromiumMissing !== undefined) process.stderr.write(`The console is not opened: ${chromiumMissing}\n`);

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Every name and text that a sender chooses is markup. */
const MARKUP = '<img src=x onerror=alert(1)>';

const SERVICE = `
  import http from 'node:http';
  import { trace } from '@opentelemetry/api';
  import pino from 'pino';
  const log = pino({ name: 'shop' }, pino.destination('/dev/null'));
  const tracer = trace.getTracer('shop');
  const server = http.createServer((request, response) => {
    tracer.startActiveSpan(${JSON.stringify(`load ${MARKUP}`)}, (span) => {
      span.setAttribute('cart', ${JSON.stringify(MARKUP)});
      const isBroken = request.url === '/broken';
      if (isBroken) {
        const error = new TypeError(${JSON.stringify(`no price ${MARKUP}`)});
        span.recordException(error);
        span.setStatus({ code: 2, message: error.message });
      }
      log[isBroken ? 'error' : 'info'](${JSON.stringify(`cart ${MARKUP} is read`)});
      span.end();
      response.writeHead(isBroken ? 500 : 200).end();
    });
  });
  server.listen(0, '127.0.0.1', () => {
    const url = 'http://127.0.0.1:' + server.address().port;
    setInterval(() => fetch(url + '/cart').then((answer) => answer.text()), 200);
    setInterval(() => fetch(url + '/broken').then((answer) => answer.text()), 1000);
  });
`;

async function errorsIn(url: string): Promise<readonly unknown[]> {
  const { errors } = (await (await fetch(`${url}/api/errors`)).json()) as { readonly errors: readonly unknown[] };
  return errors;
}

const DURATIONS = 'http_server_request_duration_seconds_bucket';

/** The traces in the exemplars of request durations. */
function exemplarsIn(page: string): readonly string[] {
  const lines = page.split('\n').filter((line) => line.startsWith(DURATIONS));
  return lines.flatMap((line) => /trace_id="([0-9a-f]{32})"/.exec(line)?.[1] ?? []);
}

async function exemplarsOf(url: string): Promise<readonly string[]> {
  const source = new PrometheusSource(url);
  const nowS = Date.now() / 1000;
  const exemplars = await source.exemplars(`rate(${DURATIONS}[1m])`, { fromS: nowS - 600, toS: nowS });
  return exemplars.map(({ labels }) => labels['trace_id'] ?? '');
}

async function textAt(address: string, accept = '*/*'): Promise<string> {
  return await (await fetch(address, { headers: { accept } })).text();
}

describe.skipIf(chromiumMissing !== undefined)('the console', () => {
  let sidecar: Sidecar;
  let service: ChildProcess;
  let browser: Browser;
  let url: string;
  const folder = mkdtempSync(path.join(tmpdir(), 'siphon-console-'));

  beforeAll(async () => {
    sidecar = await Sidecar.start({
      sets: [
        'extensions.metrics_history.interval=1s',
        // Nothing listens there. The address is only shown.
        'extensions.metrics_history.rules={notify: {alertmanagers: [{url: "http://user:pw@127.0.0.1:1/am"}]}}',
        'processors.batch.timeout=200ms',
      ],
      environment: { SIPHON_STORAGE_DIRECTORY: path.join(folder, 'state') },
    });
    url = sidecar.url({ id: 'console' });
    const args = ['--import', './dist/sdk/preload.cjs', '--input-type=module', '--eval', SERVICE];
    service = spawn(process.execPath, args, {
      cwd: root,
      env: {
        PATH: process.env['PATH'],
        OTEL_SERVICE_NAME: 'shop',
        OTEL_EXPORTER_OTLP_ENDPOINT: sidecar.url({ id: 'otlp', transport: 'http' }),
        OTEL_METRIC_EXPORT_INTERVAL: '1000',
        OTEL_BSP_SCHEDULE_DELAY: '300',
        OTEL_BLRP_SCHEDULE_DELAY: '300',
      },
      stdio: 'inherit',
    });
    browser = await startBrowser();
    await waitFor(async () => (await errorsIn(url)).length > 0, { what: 'an error in the console', timeoutMs: 60_000 });
  }, 180_000);

  afterAll(async () => {
    await browser?.close();
    if (service?.exitCode === null) {
      service.kill('SIGKILL');
      await once(service, 'exit');
    }
    await sidecar?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  it('answers text and JSON to readers without a browser', async () => {
    expect(await textAt(`${url}/`)).toMatch(
      /^siphon \S+ is ok, up .*\n\/traces\n\/logs\n\/errors\n\/database\n\/pipelines\n\/tap\n\/configuration\n\/alerts\n\/traces\/ID\n\/traces\/ID\.\.\.ID\n$/,
    );
    const traces = await textAt(`${url}/traces?status=error&limit=1`);
    const [, id = ''] = /\n([0-9a-f]{16}) .* shop {2}.+\n$/.exec(traces) ?? [];
    expect(id, traces).not.toBe('');
    expect(await textAt(`${url}/traces/${id}`)).toContain(`✗ load ${MARKUP}`);
    // Spans and log records arrive independently of each other.
    await expect
      .poll(async () => await textAt(`${url}/logs?severity=error&limit=1`), { timeout: 20_000 })
      .toMatch(/ ERROR shop cart .* is read .* trace=[0-9a-f]{32}\n$/);
    expect(await textAt(`${url}/errors`)).toMatch(
      /^\d+× {2}shop {2}TypeError: no price .*\n {4}TypeError: .*\n {4}at /,
    );
    expect(JSON.parse(await textAt(`${url}/traces`, 'application/json'))).toHaveProperty('traces.0.traceId');
    expect(await textAt(`${url}/traces/ffff`)).toMatch(/^trace ffff is not in the store/);
  });

  it('follows the log for a reader without a browser, until that leaves', async () => {
    const leaving = new AbortController();
    const { body } = await fetch(`${url}/logs?follow&limit=1`, { headers: { accept: '*/*' }, signal: leaving.signal });
    const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
    const parts = [await reader.read(), await reader.read(), await reader.read()].map(({ value = '' }) => value);
    for (const part of parts) expect(part).toMatch(/^\d{4}-\d\d-\d\d .* cart .* is read .*\n$/s);
    expect(new Set(parts).size).toBe(3);
    leaving.abort();
    await reader.closed.catch(() => undefined);
  });

  it('names a dashboard that does not exist, and links to those that do', async () => {
    const page = await browser.newPage();
    await page.goto(`${url}/d/nope`);
    await page.getByText('The dashboard nope does not exist').waitFor();
    await page.getByRole('link', { name: 'Service', exact: true }).click();
    await page.waitForURL(`${url}/d/siphon-service`);
    await page.close();
  });

  it('shows the alerts that its own rules raise, with links, and the same as text', async () => {
    const page = await browser.newPage();
    await page.goto(`${url}/alerts`);
    const watchdog = page.locator('details.group', { hasText: 'Watchdog' });
    await watchdog.waitFor({ timeout: 60_000 });
    await watchdog.locator('summary').click();
    expect(await watchdog.locator('b').first().textContent()).toBe('firing');
    expect(await watchdog.locator('a', { hasText: 'Runbook' }).getAttribute('href')).toMatch(/\/Watchdog\.md$/);
    const silence = await watchdog.getByRole('link', { name: 'Silence' }).getAttribute('href');
    expect(silence).toMatch(/^http:\/\/127\.0\.0\.1:1\/am\/#\/silences\/new\?filter=%7B.*alertname%3D%22Watchdog%22/);
    expect(await page.locator('main').textContent()).toContain('which only a Prometheus that scrapes has');
    await page.close();
    const text = await (await fetch(`${url}/alerts`, { headers: { accept: '*/*' } })).text();
    expect(text).toMatch(/^\d+ alert rules: \d+ firing/);
    expect(text).toMatch(/FIRING +none +Watchdog/);
  });

  async function missingExemplars(): Promise<readonly string[]> {
    const onPage = exemplarsIn(await sidecar.scrape({ accept: 'application/openmetrics-text; version=1.0.0' }));
    const known = await exemplarsOf(url);
    return onPage.length === 0 ? ['any'] : onPage.filter((one) => !known.includes(one));
  }

  /** Opens a view. Any error of the page, also one of its security policy, fails the test. */
  const open = async (view: string): Promise<StrictPage> => await openStrictly(browser, url + view);

  it('leads from an error to its trace, its span and its log line', { timeout: 60_000 }, async () => {
    await using opened = await open('/errors');
    const { page, problems } = opened;
    await page.locator('summary').first().click();
    expect(await page.locator('.what').first().textContent()).toContain(`no price ${MARKUP}`);
    expect(await page.locator('pre').first().textContent()).toContain('TypeError: no price');
    await page.locator('.group a').first().click();
    await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
    const waterfall = page.getByRole('tree', { name: 'Spans' });
    await waterfall.getByText(`load ${MARKUP}`).click();
    expect(await waterfall.textContent()).toContain(`cart ${MARKUP} is read`);
    expect(await page.locator('.details').first().textContent()).toContain(MARKUP);
    expect(page.url()).toMatch(/\?span=[0-9a-f]{16}$/);
    expect(await page.locator('img').count(), 'markup stays text').toBe(0);
    expect(problems).toEqual([]);
  });

  it('has the exemplars of the page, and leads from a dot on a graph to its trace', { timeout: 90_000 }, async () => {
    // The page may get another one before the history has seen it.
    await expect.poll(async () => await missingExemplars(), { timeout: 20_000 }).toEqual([]);
    await using opened = await open('/d/siphon-service?from=now-5m&to=now');
    const { page, problems } = opened;
    // The service has run for seconds, so the dots are on top of each other.
    await page.locator('.exemplar[tabindex="0"]').first().focus({ timeout: 60_000 });
    await expect
      .poll(async () => await page.locator('.asked').textContent(), { message: 'the sidecar is younger' })
      .toMatch(/^data since \d.*, as of \d/);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'Show the trace' }).click();
    await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
    await page.getByRole('tree', { name: 'Spans' }).waitFor();
    expect(problems).toEqual([]);
  });

  it('compares the slow and failed traces of a time with others', { timeout: 60_000 }, async () => {
    await using opened = await open('/changes');
    const { page, problems } = opened;
    await expect.poll(async () => await page.locator('main').textContent()).toContain('Drag over a time');
    await page.getByLabel('Status').selectOption('error');
    const first = page.locator('tbody tr').first();
    await first.waitFor();
    expect(await page.locator('.about').textContent()).toMatch(/\d+ traces selected, \d+ around/);
    await first.getByRole('link', { name: 'Traces' }).click();
    await page.locator('tbody tr.failed').first().waitFor();
    expect(problems).toEqual([]);
  });

  it('filters traces, and keeps the filter in the address', { timeout: 60_000 }, async () => {
    await using opened = await open('/traces');
    const { page, problems } = opened;
    await page.locator('tbody tr').first().waitFor();
    await page.getByLabel('Status').selectOption('error');
    await expect.poll(async () => await page.locator('tbody tr:not(.failed)').count()).toBe(0);
    expect(await page.locator('tbody tr.failed').count()).toBeGreaterThan(0);
    await page.reload();
    await page.locator('tbody tr').first().waitFor();
    expect(await page.getByLabel('Status').inputValue()).toBe('error');
    await page.getByLabel('Service').fill('nobody');
    await page.keyboard.press('Tab');
    await expect.poll(async () => await page.locator('main').textContent()).toContain('nobody');
    expect(problems).toEqual([]);
  });

  it('compares two traces of the list, and of a trace with another', { timeout: 60_000 }, async () => {
    await using opened = await open('/traces?operation=GET');
    const { page, problems } = opened;
    await page.locator('tbody tr:not(.failed)').getByRole('checkbox').first().focus();
    await page.keyboard.press('Space');
    await page.getByText('Choose a trace to compare with').waitFor();
    const failed = page.locator('tr.failed').getByRole('checkbox').first();
    await failed.check();
    await page.getByRole('link', { name: 'Compare the two traces' }).click();
    await page.waitForURL(/\/traces\/[0-9a-f]{32}\.\.\.[0-9a-f]{32}$/);
    const table = page.getByRole('region', { name: 'Operations' });
    await table.getByText(`load ${MARKUP}`).waitFor();
    expect(await table.textContent()).toContain('failed 0 → 1');
    expect(await page.locator('li').textContent()).toBe(`0 → 1 TypeError: no price ${MARKUP}`);
    expect(await page.locator('img').count(), 'markup stays text').toBe(0);
    const text = await textAt(page.url());
    expect(text).toMatch(/^First {3}[0-9a-f]{32} .*\nSecond {2}[0-9a-f]{32} .* 1 error {2}shop /);
    expect(text).toContain('OWN TIME: FIRST');
    await page
      .getByRole('link', { name: /^shop: / })
      .first()
      .click();
    await page.getByRole('link', { name: 'Compare with another' }).click();
    await page.getByText('Choose a trace to compare with').waitFor();
    expect(page.url()).toMatch(/with=[0-9a-f]{32}/);
    expect(problems).toEqual([]);
    expect(await textAt(`${url}/traces/ffff...eeee`)).toMatch(/^trace ffff is not in the store/);
  });

  it('follows the log, and leads from a line to its trace', { timeout: 60_000 }, async () => {
    await using opened = await open('/logs?severity=error');
    const { page, problems } = opened;
    const lines = page.locator('.log article');
    await lines.first().waitFor();
    const before = await lines.count();
    await expect.poll(async () => await lines.count(), { timeout: 20_000 }).toBeGreaterThan(before);
    expect(await lines.first().textContent()).toContain(`ERROR`);
    await lines.first().getByRole('link', { name: 'trace' }).click();
    await page.getByRole('tree', { name: 'Spans' }).waitFor();
    expect(problems).toEqual([]);
  });

  it('shows what passes an edge, as long as the tap is open, and the same as text', { timeout: 60_000 }, async () => {
    await using opened = await open('/pipelines');
    const { page, problems } = opened;
    const tap = page.getByRole('button', { name: 'Tap edge 2 of traces' });
    await tap.focus();
    await page.keyboard.press('Enter');
    const tapped = page.getByRole('region', { name: 'Tap' });
    await tapped.getByText(`load ${MARKUP}`).first().waitFor();
    expect(await tapped.getByRole('status').textContent()).toMatch(/^traces, edge 2: \d+ items in \d+ batches in 2/);
    expect(await page.locator('img').count(), 'markup stays text').toBe(0);
    expect(page.url()).toMatch(/\?tap=traces&edge=2$/);
    await page.reload();
    await tapped.getByText(`load ${MARKUP}`).first().waitFor();
    await tap.click();
    await tapped.waitFor({ state: 'detached' });
    expect(problems).toEqual([]);
    const text = await textAt(`${url}/tap?pipeline=logs&edge=0`);
    expect(text).toMatch(/^logs, edge 0: \d+ items in .*\n\{"type":"LogRecord",/);
    expect(await textAt(`${url}/tap?pipeline=traces&edge=9`)).toContain('edges from 0 to 2');
    expect(await textAt(`${url}/pipelines`)).toMatch(/\ntraces\n {2}otlp \(receiver\) {2}accepted .*\n {2}→ /);
    expect(await textAt(`${url}/configuration`)).toMatch(/^receivers:\n {2}otlp:/);
  });

  it('shows the pipelines with rates, and the dashboards with data', { timeout: 90_000 }, async () => {
    {
      await using opened = await open('/pipelines');
      const { page, problems } = opened;
      const traces = page.getByRole('group', { name: 'traces', exact: true });
      await traces.waitFor();
      expect(await traces.locator('b').allTextContents()).toEqual([
        'otlp',
        'memory_limiter',
        'batch',
        'sentry',
        'telemetry_store',
      ]);
      await expect
        .poll(async () => await traces.textContent(), { timeout: 30_000 })
        .toMatch(/accepted [1-9][\d.]* spans\/s/);
      const ledger = page.getByRole('region', { name: 'Ledger' });
      const row = ledger.locator('tr', { hasText: 'pipelines::traces' });
      expect(await row.locator('td').last().textContent(), 'the remainder').toBe('0');
      await page.getByText('Show it, without secrets').click();
      await page.getByText('telemetry_store:').waitFor();
      expect(problems).toEqual([]);
    }
    await using opened = await open('/');
    const { page, problems } = opened;
    await page.locator('.panel[data-state=data]').first().waitFor({ timeout: 30_000 });
    expect(await page.locator('h1').textContent()).toBe('siphon');
    expect(await page.title()).toContain('Service');
    await page.locator('.number-with-origin').first().click();
    const origin = page.locator('.origin');
    expect(await origin.locator('code').textContent(), 'without variables').toMatch(/^[^$]+$/);
    expect(await origin.textContent()).toMatch(/exactly [\d.e-]+evaluated over the metrics .* ago at \d\d:\d\d:\d\d/);
    await page.keyboard.press('Escape');
    expect(problems).toEqual([]);
  });
});
