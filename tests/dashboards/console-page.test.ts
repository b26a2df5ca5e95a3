/** The use of the dashboards' page in a real browser, with a real Prometheus. */
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumMissing, startBrowser } from '../support/dashboards/browser.ts';
import { prometheusMissing } from '../support/prometheus/prometheus-server.ts';
import { waitFor } from '../support/wait-for.ts';
import { PreviewPage } from '../support/dashboards/preview-page.ts';

const missing = prometheusMissing ?? chromiumMissing;
if (missing !== undefined) process.stderr.write(`The page of the dashboards is not proved: ${missing}\n`);

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const MARKUP = '<img src=x onerror=document.title=1>';
const SHOPS = [MARKUP, 'x'.repeat(5000), ...Array.from({ length: 68 }, (_, index) => `shop-${index}`)];
const DURATION = 'Duration of a job';
const CROWD = 'Rate limits and backoff';

describe.skipIf(missing !== undefined)('the page of the dashboards', () => {
  let watched: PreviewPage;
  let browser: Browser;
  let page: Page;
  let errors: string[];

  beforeAll(async () => {
    watched = await PreviewPage.start(metrics(), { sentry: new URL('https://example.sentry.io') });
    browser = await startBrowser();
    await watched.prometheus.found('rate(price_job_duration_seconds_bucket[5s]) > 0');
    await waitFor(async () => (await watched.prometheus.exemplars('price_job_duration_seconds_bucket')).length > 0, {
      what: 'exemplars',
    });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await watched?.[Symbol.asyncDispose]();
  });

  const open = async (address: string): Promise<void> => {
    await page?.close();
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    errors = [];
    page.on('pageerror', ({ message }) => errors.push(message));
    await page.goto(`${watched.url}${address}`);
    await drawn(page);
  };
  const prices = '/d/siphon-prices?from=now-5m&to=now&refresh=';
  const address = (): URL => new URL(page.url());
  const panel = (title: string): Locator => page.locator(`.panel[aria-label="${title}"]`);

  it('shows the trace of an exemplar under the pointer, with a link to Sentry', async () => {
    await open(prices);
    const dot = panel(DURATION).locator('.exemplar').last();
    await dot.hover();
    const tip = panel(DURATION).locator('.tip');
    await tip.waitFor();
    expect(await tip.textContent()).toContain(TRACE);
    expect(await tip.textContent()).toContain('420 ms');
    expect(await tip.locator('a').getAttribute('href')).toBe(
      `https://example.sentry.io/explore/traces/trace/${TRACE}/`,
    );
    await page.keyboard.press('Escape');
    await tip.waitFor({ state: 'hidden' });
    await dot.focus();
    await page.keyboard.press('Enter');
    await tip.waitFor();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Trace in Sentry');
    expect(errors).toEqual([]);
  });

  it('shows the time that is dragged over on a graph, in its address, and knows the way back', async () => {
    await open(prices);
    const before = page.url();
    await panel(DURATION).scrollIntoViewIfNeeded();
    const plot = (await panel(DURATION).locator('.u-over').boundingBox())!;
    const at = plot.y + plot.height / 2;
    await page.mouse.move(plot.x + plot.width * 0.5, at);
    await page.mouse.down();
    await page.mouse.move(plot.x + plot.width * 0.75, at, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(/from=\d+&to=\d+/);
    await drawn(page);
    const [from, to] = ['from', 'to'].map((name) => Number(address().searchParams.get(name)));
    expect(to! - from!).toBeGreaterThan(60_000);
    expect(to! - from!).toBeLessThan(90_000);
    const shared = page.url();

    await page.locator('#zoom-out').click();
    await page.waitForURL((url) => url.href !== shared);
    const [wideFrom, wideTo] = ['from', 'to'].map((name) => Number(address().searchParams.get(name)));
    expect((wideTo! - wideFrom!) / (to! - from!)).toBeCloseTo(2, 1);
    await page.goBack();
    await page.locator('#back').click();
    await page.waitForURL(before);
    await page.locator('#time', { hasText: 'Last 5m' }).waitFor();
    expect(errors).toEqual([]);
  });

  it('opens with the time that has data, of a Prometheus that has just started', async () => {
    await open('/d/siphon-prices?refresh=');
    expect(await page.locator('#time').textContent()).toBe('Last 5m');
    expect(errors).toEqual([]);
  });

  it('accepts a range between two times, and reports invalid ones', async () => {
    await open(prices);
    await page.locator('#time').click();
    await page.locator('#from').fill('2026-01-02T03:04:05');
    await page.locator('#to').fill('2026-01-02T03:00:00');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    expect(await page.getByRole('alert').textContent()).toContain('before');
    await page.locator('#to').fill('2026-01-02T04:00:00');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.waitForURL(/from=\d+/);
    const times = ['from', 'to'].map((name) => Number(address().searchParams.get(name)));
    expect(times).toEqual([Date.parse('2026-01-02T03:04:05'), Date.parse('2026-01-02T04:00:00')]);
  });

  it('restores its state from the address', async () => {
    await open(
      '/d/siphon-prices?from=1767322800000&to=1767326400000&refresh=30s&var-job=pipeline&var-platform=shopify',
    );
    const look = async (): Promise<readonly (string | null)[]> => {
      return await Promise.all([
        page.locator('#time').textContent(),
        page.locator('#var-job').textContent(),
        page.locator('#var-platform').textContent(),
      ]);
    };
    const shown = await look();
    expect(shown.slice(1)).toEqual(['Servicepipeline', 'Platformshopify']);
    await open(`${address().pathname}${address().search}`);
    expect(await look()).toEqual(shown);
    const link = await page.getByRole('link', { name: 'Roaster' }).first().getAttribute('href');
    expect(link).toContain('from=1767322800000&to=1767326400000&refresh=30s');
    expect(link).toContain('var-job=pipeline');
  });

  it('opens at the panel that the link of an alert names', async () => {
    await open(`${prices}&viewPanel=18`);
    expect(await page.locator('.panel.named').getAttribute('aria-label')).toBe('New variants');
    await waitFor(async () => (await page.locator('.panel.named').boundingBox())!.y < 900, {
      what: 'the panel in view',
    });
  });

  it('is used by keyboard: lists by arrows, Escape takes back, Enter chooses, and the focus stays', async () => {
    await open(prices);
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('To the content');
    await page.locator('#var-job').focus();
    await page.keyboard.press('Enter');
    await page.locator('.picker:popover-open').waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Space');
    await page.keyboard.press('Escape');
    expect(await page.evaluate('document.activeElement.id')).toBe('var-job');
    expect(address().searchParams.has('var-job', 'pipeline')).toBe(false);

    await page.keyboard.press('Enter');
    await page.locator('.picker:popover-open').waitFor();
    await page.keyboard.press('Space');
    await page.keyboard.press('Enter');
    await page.waitForURL(/var-job=pipeline/);
    await page.locator('#var-job', { hasText: 'pipeline' }).waitFor();
    await waitFor(async () => (await page.evaluate('document.activeElement.id')) === 'var-job', { what: 'the focus' });
  });

  it('reads a graph by arrow keys, and its legend is one stop of the tab key', async () => {
    await open(prices);
    const graph = panel(DURATION);
    await graph.locator('.plot').focus();
    expect(await graph.locator('.at').textContent()).toBe('');
    await page.keyboard.press('ArrowLeft');
    expect(await graph.locator('.at').textContent()).toMatch(/\d\d:\d\d:\d\d/);
    await page.keyboard.press('Tab');
    expect(await graph.locator('.exemplar:focus').count()).toBe(1);
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('mean full');
    await page.keyboard.press('ArrowDown');
    expect(await focused(page)).toBe('mean price_only');
    const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
    expect(outline, 'the focus is seen').not.toBe('none');
    await page.keyboard.press('Tab');
    expect(await graph.locator(':focus').count(), 'the next stop is another panel').toBe(0);
  });

  it('keeps what is hidden hidden when it asks again', async () => {
    await open(prices);
    const toggle = panel(DURATION).locator('.legend button').first();
    await toggle.click();
    const asked = await page.locator('.asked').textContent();
    await waitFor(
      async () => {
        await page.locator('#ask-again').click();
        return (await page.locator('.asked').textContent()) !== asked;
      },
      { what: 'another answer' },
    );
    expect(await toggle.getAttribute('aria-pressed')).toBe('false');
  });

  it('shows names as they are, however long or many, and runs none of them', async () => {
    await open(prices);
    const crowd = panel(CROWD);
    expect(await crowd.locator('.legend tbody tr').count()).toBe(60);
    expect(await crowd.locator('.left-out').textContent()).toBe('10 more are not shown');
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toContain('Price monitoring');
    const names = await crowd.locator('.legend td.name').allTextContents();
    expect(
      names.filter((name) => name.startsWith('<')),
      names.slice(0, 3).join('|').slice(0, 300),
    ).toEqual([MARKUP]);
    expect(Math.max(...names.map((name) => name.length))).toBeLessThan(200);
    const wide = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    expect(wide).toBeLessThanOrEqual(0);
  });

  it('shows the unit of histogram bounds', async () => {
    await open(prices);
    const bounds = await panel('Distribution of the change').locator('.histogram > div > span').allTextContents();
    expect(bounds).toEqual(['≤ ×0.5', '≤ ×2', '> ×2']);
  });
});

/** A pipeline with many rate limits, and a job that always has the same trace. */
function metrics(): () => string {
  let scrapes = 0;
  const one = 'job="pipeline",instance="one"';
  const shop = 'instance="db",roaster="a",platform="shopify",currency="INR"';
  return () => {
    scrapes += 1;
    const exemplar = ` # {trace_id="${TRACE}"} 0.42 ${Date.now() / 1000}`;
    return [
      '# TYPE memory_usage_bytes gauge',
      `memory_usage_bytes{${one},component="rss"} 2e8`,
      '# TYPE price_job_duration_seconds histogram',
      ...['price_only', 'full'].flatMap((type) =>
        histogram('price_job_duration_seconds', {
          labels: `${one},job_type="${type}"`,
          bounds: ['0.5', '1.0'],
          scrapes,
        }).map((line, index) => (index === 0 ? line + exemplar : line)),
      ),
      '# TYPE price_change_ratio histogram',
      ...histogram('price_change_ratio', { labels: shop, bounds: ['0.5', '2.0'], scrapes }),
      '# TYPE rate_limit_errors counter',
      // The first of them more often, so that it is known who is left out.
      ...SHOPS.map((name, index) => {
        const labels = `${one},service=${JSON.stringify(name)}`;
        return `rate_limit_errors_total{${labels}} ${scrapes * (index === 0 ? 2 : 1)}`;
      }),
      '',
    ].join('\n');
  };
}

function histogram(
  name: string,
  {
    labels,
    bounds,
    scrapes,
  }: { readonly labels: string; readonly bounds: readonly string[]; readonly scrapes: number },
): readonly string[] {
  const buckets = [...bounds, '+Inf'].map((le) => `${name}_bucket{${labels},le="${le}"} ${scrapes}`);
  return [...buckets, `${name}_count{${labels}} ${scrapes}`, `${name}_sum{${labels}} ${scrapes / 2}`];
}

async function drawn(page: Page): Promise<void> {
  await page.waitForSelector('.panel');
  const waiting = page.locator('details[open] .panel[data-state=loading]');
  await waitFor(async () => (await waiting.count()) === 0, { what: 'every panel to be drawn' });
}

async function focused(page: Page): Promise<string> {
  return await page.evaluate('document.activeElement.textContent');
}
