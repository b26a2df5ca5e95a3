/** The incident file of a real sidecar, opened from the disk in a real browser. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { concrete } from '../../src/console/expression.ts';
import { recordIncident, type AskedConsole } from '../../src/console/incident/record.ts';
import { RecordedMetrics } from '../../src/console/incident/recorded-metrics.ts';
import { RecordedTelemetry } from '../../src/console/incident/recorded-telemetry.ts';
import { readRecording, type Recording } from '../../src/console/incident/recording.ts';
import type { PageSettings } from '../../src/console/page-settings.ts';
import { PrometheusSource } from '../../src/console/prometheus-source.ts';
import { chromiumMissing, startBrowser } from '../support/dashboards/browser.ts';
import { openStrictly, type StrictPage } from '../support/dashboards/strict-page.ts';
import { siphon } from '../support/processes/run-built-command.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';

if (chromiumMissing !== undefined) process.stderr.write(`The incident file is not opened: ${chromiumMissing}\n`);

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Every name and text that a sender chooses would end the element with the data, and run. */
const MARKUP = '</script><script>document.title=1</script><img src=x onerror=alert(1)>';
const SECRET = 'hunter2hunter2';

const SERVICE = `
  import http from 'node:http';
  import { metrics, trace } from '@opentelemetry/api';
  import pino from 'pino';
  const log = pino({ name: 'shop' }, pino.destination('/dev/null'));
  const tracer = trace.getTracer('shop');
  const carts = metrics.getMeter('shop').createCounter('shop_carts');
  const server = http.createServer((request, response) => {
    carts.add(1, { shop: ${JSON.stringify(MARKUP)}, source: 'https://shop:${SECRET}@store.test/', api_token: '${SECRET}' });
    tracer.startActiveSpan(${JSON.stringify(`load ${MARKUP}`)}, (span) => {
      span.setAttribute('cart', ${JSON.stringify(MARKUP)});
      span.setAttribute('password', '${SECRET}');
      const isBroken = request.url === '/broken';
      if (isBroken) {
        const error = new TypeError(${JSON.stringify(`no price ${MARKUP} for password=${SECRET}`)});
        span.recordException(error);
        span.setStatus({ code: 2, message: error.message });
      }
      log[isBroken ? 'error' : 'info'](${JSON.stringify(`cart ${MARKUP} is read with token=${SECRET}`)});
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

describe.skipIf(chromiumMissing !== undefined)('the incident file', () => {
  let sidecar: Sidecar;
  let service: ChildProcess;
  let browser: Browser;
  let url: string;
  const folder = mkdtempSync(path.join(tmpdir(), 'siphon-incident-'));

  beforeAll(async () => {
    sidecar = await Sidecar.start({
      sets: [
        'extensions.metrics_history.interval=1s',
        'extensions.metrics_history.rules={}',
        'processors.batch.timeout=200ms',
      ],
      environment: { SIPHON_STORAGE_DIRECTORY: path.join(folder, 'state') },
    });
    url = sidecar.url({ id: 'console' });
    service = spawn(
      process.execPath,
      ['--import', './dist/sdk/preload.cjs', '--input-type=module', '--eval', SERVICE],
      {
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
      },
    );
    browser = await startBrowser();
    const carts = new PrometheusSource(url);
    await waitFor(async () => (await carts.at('rate(shop_carts_total[10s]) > 0', Date.now() / 1000)).length > 0, {
      what: 'a rate in the history',
      timeoutMs: 60_000,
    });
    await waitFor(async () => (await asked<{ errors: unknown[] }>('errors')).errors.length > 0, { what: 'an error' });
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

  async function asked<T>(where: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
    const answer = await fetch(`${url}/api/${where}?${new URLSearchParams(query).toString()}`);
    if (!answer.ok) throw new Error(((await answer.json()) as { readonly error: string }).error);
    return (await answer.json()) as T;
  }

  async function running(): Promise<AskedConsole> {
    return {
      ask: asked,
      settings: JSON.parse(await fileAt(`${url}/settings.json`)) as PageSettings,
      page: await fileAt(`${url}/incident.html`),
    };
  }

  /** Opens a file without a network. A request is a problem, too. */
  async function open(file: string, view = ''): Promise<StrictPage> {
    const opened = await openStrictly(browser, 'about:blank');
    const { page, problems } = opened;
    const requests: string[] = [];
    page.on('request', (request) => {
      if (!/^(?:file|data):/.test(request.url())) requests.push(request.url());
    });
    await page.context().setOffline(true);
    await page.goto(`${pathToFileURL(file).href}${view}`);
    return {
      ...opened,
      get problems() {
        return [...problems, ...requests];
      },
    };
  }

  let written = '';

  it(
    'is written by the command, under a name with the time, and contains no secret',
    { timeout: 120_000 },
    async () => {
      const command = ['incident', '--last', '5m', '--url', url];
      const named = path.join(folder, 'incident.html');
      const { exitCode, stdout, stderr } = await siphon([...command, '--out', named]);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(stdout).toMatch(/incident\.html \(\d\.\d MiB\)\n$/);
      written = named;
      const html = readFileSync(named, 'utf8');
      expect(html.match(/<script/g)).toHaveLength(2);
      const recording = await recordingOf(html);
      const text = JSON.stringify(recording);
      expect(text).toContain('shop_carts_total');
      expect(text).toContain(JSON.stringify(MARKUP).slice(1, -1));
      expect(text).not.toContain(SECRET);
      expect(recording.traces.length).toBeGreaterThan(3);
      expect(recording.logs.length).toBeGreaterThan(3);
      const unnamed = await siphon(['incident', '--last', '1m', '--url', url]);
      const [name = ''] = unnamed.stdout.split(' ');
      expect(name).toMatch(/^siphon-incident-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ\.html$/);
      expect(statSync(path.join(root, name)).size).toBeGreaterThan(100_000);
      rmSync(path.join(root, name));
    },
  );

  it('opens from the disk without a request, and shows every view', { timeout: 120_000 }, async () => {
    {
      await using opened = await open(written);
      const { page } = opened;
      await page.locator('.panel[data-state=data]').first().waitFor({ timeout: 30_000 });
      expect(await page.locator('header p.about').textContent()).toMatch(/^Recorded from /);
      for (const view of ['Traces', 'Errors', 'Logs', 'Database', 'Alerts', 'Pipelines']) {
        await page.getByRole('link', { name: view, exact: true }).click();
        await expect.poll(() => page.url()).toMatch(new RegExp(`#/${view.toLowerCase()}$`));
        await expect
          .poll(async () => await page.locator('main').textContent())
          .toMatch(/shop|Watchdog|otlp|Waits for locks/);
      }
      await page.goBack();
      await page.locator('details.group', { hasText: 'Watchdog' }).waitFor();
      expect(opened.problems).toEqual([]);
    }
    await using opened = await open(written, '#/errors');
    const { page } = opened;
    await page.locator('summary').first().click();
    expect(await page.locator('.what').first().textContent()).toContain(`no price ${MARKUP}`);
    await page.locator('.group a').first().click();
    const waterfall = page.getByRole('tree', { name: 'Spans' });
    await waterfall.getByText(`load ${MARKUP}`).click();
    expect(await waterfall.textContent()).toContain(`cart ${MARKUP} is read`);
    expect(await page.locator('img').count(), 'markup stays text').toBe(0);
    expect(await page.title()).not.toBe('1');
    await page.getByRole('link', { name: 'Traces', exact: true }).click();
    await page.getByLabel('Status').selectOption('error');
    await page.locator('tbody tr.failed').first().waitFor();
    expect(await page.locator('tbody tr:not(.failed)').count()).toBe(0);
    for (const box of await page
      .getByRole('checkbox')
      .all()
      .then((boxes) => boxes.slice(0, 2)))
      await box.check();
    await page.getByRole('link', { name: 'Compare the two traces' }).click();
    await page.locator('tbody tr').first().waitFor();
    expect(opened.problems).toEqual([]);
  });

  it('has the numbers that the sidecar has, for all expressions of the dashboards', { timeout: 120_000 }, async () => {
    const untilMs = Math.floor(Date.now() / 1000) * 1000 - 2000;
    const console = await running();
    const { html } = await recordIncident(console, { fromMs: untilMs - 60_000, untilMs });
    const { samples, exemplars } = await recordingOf(html);
    const file = new RecordedMetrics(samples, exemplars);
    const sidecarSource = new PrometheusSource(url);
    const steps = { fromS: untilMs / 1000 - 60, toS: untilMs / 1000, stepS: 5 };
    const panels = console.settings.dashboards.flatMap(({ rows }) => rows.flatMap((row) => row.panels));
    const expressions = new Set(
      panels.flatMap(({ queries }) =>
        queries.map(({ expression }) =>
          concrete(expression, { choices: {}, steps, scrapeS: 5 }).replaceAll(/\$\w+/g, '.*'),
        ),
      ),
    );
    let filled = 0;
    for (const expression of expressions) {
      const [there, here] = [await sidecarSource.over(expression, steps), await file.over(expression, steps)];
      expect({ expression, series: sorted(here) }).toEqual({ expression, series: sorted(there) });
      if (there.length > 0) filled += 1;
    }
    expect(expressions.size).toBeGreaterThan(100);
    expect(filled).toBeGreaterThan(20);
    await expect(file.at('increase(shop_carts_total[1d])', steps.toS)).rejects.toThrow(
      'has only what this needs since',
    );
  });

  it('finds the traces and log lines that the sidecar finds', { timeout: 60_000 }, async () => {
    const untilMs = Date.now() - 3000;
    const recording = await recordingOf(
      (await recordIncident(await running(), { fromMs: untilMs - 30_000, untilMs })).html,
    );
    const file = new RecordedTelemetry(recording);
    const time = { since: new Date(untilMs - 30_000).toISOString(), until: new Date(untilMs).toISOString() };
    const questions: readonly (readonly ['traces' | 'logs', Readonly<Record<string, string>>])[] = [
      ['traces', {}],
      ['traces', { status: 'error' }],
      ['traces', { service: 'sh*', min_duration: '1ms' }],
      ['traces', { operation: 'load *', attribute: 'cart=*' }],
      ['traces', { attribute: 'service.name=shop', max_duration: '5ms' }],
      ['traces', { operation: 'nothing' }],
      ['logs', { severity: 'error' }],
      ['logs', { text: 'IS READ', service: 'shop' }],
      ['logs', { attribute: 'service.name=other' }],
      ['logs', {}],
    ];
    for (const [path_, query] of questions) {
      const all = { ...query, ...time, limit: '1000' };
      const [here, there] = [await file.ask(path_, all), await asked(path_, all)];
      expect({ query, found: namesIn(here) }).toEqual({ query, found: namesIn(there) });
    }
  });

  it('reports what it leaves out when it would be too long', { timeout: 60_000 }, async () => {
    const console = await running();
    const untilMs = Date.now();
    const maxLength = console.page.length + 300_000;
    const { html, notes } = await recordIncident(console, { fromMs: untilMs - 60_000, untilMs }, maxLength);
    expect(html.length).toBeLessThan(maxLength);
    expect(notes.join('\n')).toMatch(/\d+ of \d+ metrics are left out/);
    expect((await recordingOf(html)).notes).toEqual(notes);
  });

  it('is saved by the button of the console', { timeout: 60_000 }, async () => {
    await using page = await browser.newPage();
    await page.goto(`${url}/errors`);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save incident' }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^siphon-incident-.*\.html$/);
    const saved = path.join(folder, 'saved.html');
    await download.saveAs(saved);
    await using opened = await open(saved, '#/traces');
    await opened.page.locator('tbody tr').first().waitFor();
    expect(opened.problems).toEqual([]);
    expect(JSON.stringify(await recordingOf(readFileSync(saved, 'utf8')))).not.toContain(SECRET);
  });
});

function sorted(series: readonly { readonly labels: object; readonly values: readonly (number | null)[] }[]): unknown {
  const filled = series.filter(({ values }) => values.some((value) => value !== null));
  return filled
    .map((one) => ({ key: JSON.stringify(one.labels), ...one }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** The items of an answer by their ids or times. */
function namesIn(answer: unknown): unknown {
  const { traces, logs } = answer as {
    readonly traces?: readonly { readonly traceId: string }[];
    readonly logs?: readonly { readonly timeUnixNano: string; readonly spanId?: string }[];
  };
  return traces?.map(({ traceId }) => traceId) ?? logs?.map(({ timeUnixNano, spanId }) => `${timeUnixNano} ${spanId}`);
}

async function recordingOf(html: string): Promise<Recording> {
  return await readRecording(/id="recording">([^<]*)</.exec(html)?.[1] ?? '');
}

async function fileAt(address: string): Promise<string> {
  return await (await fetch(address)).text();
}
