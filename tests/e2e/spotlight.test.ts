/** A service with the preload and the sidecar, as a reader sees it in Sentry's Spotlight, in a real browser. */
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumMissing, startBrowser } from '../support/dashboards/browser.ts';
import { startTestPostgres } from '../support/postgres/test-postgres.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { runOrders } from '../support/sentry/run-orders.ts';
import { Spotlight } from '../support/sentry/spotlight.ts';

if (chromiumMissing !== undefined) process.stderr.write(`Spotlight does not show envelopes: ${chromiumMissing}\n`);

/** Each part of a page loads when it is opened. */
const DRAWN = { timeout: 20_000 };
const QUERY = 'SELECT * FROM missing_table';

describe.skipIf(chromiumMissing !== undefined)('Spotlight shows', () => {
  let spotlight: Spotlight;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    spotlight = await Spotlight.start();
    await using postgres = await startTestPostgres({ schema: false });
    await using sidecar = await Sidecar.start({ environment: { SENTRY_DSN: spotlight.dsn } });
    await runOrders('siphon-otel/preload', {
      DATABASE_URL: postgres.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: sidecar.otlpHttp,
      OTEL_SERVICE_NAME: 'orders',
      SIPHON_FLUSH_TIMEOUT_MS: '10000',
    });
    expect(await sidecar.stop()).toBe(0);
    browser = await startBrowser();
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.setDefaultTimeout(20_000);
    await spotlight.open(page);
  });

  afterAll(async () => {
    await browser?.close();
    await spotlight?.[Symbol.asyncDispose]();
  });

  const shown = async (): Promise<string> => (await page.locator('body').innerText()).replaceAll(/\s+/g, ' ');

  /** Its pages are drawn in the browser: their addresses do not exist at the server. */
  const link = (address: string): Locator => page.locator(`a[href^="/telemetry/${address}"]`);

  it('a request as one trace, with its query as a span', async () => {
    const requests = link('traces/').filter({ hasText: /\d+ spans, 1 txns/ });
    await requests.filter({ hasText: '/bad-sql' }).click();
    await page.getByText(/recorded in \d+ spans/).waitFor();
    await page.getByText(QUERY).click();
    await page.waitForURL(/\/spans\/[0-9a-f]{16}\/context$/);
    await expect.poll(shown, DRAWN).toContain('QUERY SELECT * FROM missing_table DATA');
  });

  it('the error of the query, with its frames and links to its trace and its span', async () => {
    const [, traceId] = /\/traces\/([0-9a-f]{32})/.exec(page.url())!;
    await link('errors').first().click();
    await link('errors/').filter({ hasText: 'relation "missing_table" does not exist' }).click();
    await page.getByText(/orders\.mjs in badSql at line \d+/).waitFor();
    await link(`traces/${traceId}/spans/`).click();
    await page.getByText(/recorded in \d+ spans/).waitFor();
    await expect.poll(shown, DRAWN).toContain('DESCRIPTION GET /bad-sql TAGS service.name orders');
  });

  it('queries without their values', async () => {
    await link('insights/queries').click();
    const queries = page.locator('tbody tr td:first-child');
    await expect
      .poll(async () => await queries.allInnerTexts(), DRAWN)
      .toEqual(expect.arrayContaining(['SELECT pg_sleep(?), ? AS item', 'SELECT ? AS name WHERE ? = ?', QUERY]));
  });
});
