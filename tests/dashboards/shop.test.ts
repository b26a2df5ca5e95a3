/** The dashboard and the alerts of the example shop: checked, drawn in a real browser, and fired by real rules. */
import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser } from 'playwright-core';
import shop from '../../examples/shop/pack.ts';
import { defaultSettings } from '../../src/dashboards/rules/settings.ts';
import { ruleFiles } from '../../src/dashboards/rules/rule-files.ts';
import { loadPacks } from '../../src/packs/load.ts';
import { chromiumMissing, startBrowser } from '../support/dashboards/browser.ts';
import { PreviewPage } from '../support/dashboards/preview-page.ts';
import { prometheusMissing } from '../support/prometheus/prometheus-server.ts';
import { promtoolMissing, testRules } from '../support/prometheus/promtool.ts';

const { dashboards, alerts } = await loadPacks([shop]);
const drawMissing = prometheusMissing ?? chromiumMissing;
for (const missing of [drawMissing, promtoolMissing]) {
  if (missing !== undefined) process.stderr.write(`The shop's dashboard or alerts are not tested: ${missing}\n`);
}

describe.skipIf(drawMissing !== undefined)('the dashboard of the shop', () => {
  let preview: PreviewPage;
  let browser: Browser;

  beforeAll(async () => {
    preview = await PreviewPage.start(metrics(), { sentry: new URL('https://example.sentry.io'), dashboards });
    browser = await startBrowser();
    await preview.prometheus.found('rate(shop_payment_duration_seconds_bucket[5s]) > 0');
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await preview?.[Symbol.asyncDispose]();
  });

  it('draws every panel with data and without errors', async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
    const errors: string[] = [];
    page.on('pageerror', ({ message }) => errors.push(message));
    await page.goto(`${preview.url}/d/shop?from=now-5m&to=now&refresh=`);
    const panels = dashboards.flatMap(({ rows }) => rows.flatMap((row) => row.panels));
    const texts = await Promise.all(
      panels.map(async ({ title, form }) => {
        const panel = page.locator(`.panel[aria-label="${title}"]`);
        await panel.locator(form === 'graph' ? 'canvas' : '.numbers').waitFor();
        return await panel.textContent();
      }),
    );
    const text = texts.join('\n');
    for (const name of ['paid', 'card', 'web', '127.0.0.1:5432/shop']) expect(text).toContain(name);
    expect(errors).toEqual([]);
  });
});

describe.skipIf(promtoolMissing !== undefined)('the alerts of the shop', () => {
  const file = ruleFiles({ alerts, dashboards }, defaultSettings).get('alerts.yaml') ?? '';
  const { groups } = load(file) as { readonly groups: readonly { readonly name: string }[] };
  const expectFiring = (input: Record<string, string>, firing: readonly string[]): void => {
    const complaints = testRules(groups, [
      {
        input: Object.entries(input).map(([series, values]) => ({ series, values })),
        expects: [
          {
            query: 'count by (alertname, severity) (ALERTS{alertstate="firing"})',
            atMinute: 60,
            samples: firing.map((labels) => ({ labels, value: 1 })),
          },
        ],
      },
    ]);
    expect(complaints).toBe('');
  };

  it('fires when an order stays without a payment', () => {
    expectFiring({ 'shop_orders_pending_oldest_seconds{instance="db"}': '0+60x60' }, [
      '{alertname="ShopOrdersPending", severity="warning"}',
    ]);
  });

  it('fires when a provider declines most payments', () => {
    expectFiring(
      {
        'shop_payments_total{provider="card", outcome="captured"}': '0+1x60',
        'shop_payments_total{provider="card", outcome="declined"}': '0+9x60',
        'shop_payments_total{provider="invoice", outcome="captured"}': '0+9x60',
        'shop_payments_total{provider="invoice", outcome="declined"}': '0+1x60',
      },
      [
        '{alertname="ShopPaymentsDeclined", severity="critical"}',
        '{alertname="ShopPaymentsDeclined", severity="warning"}',
      ],
    );
  });

  it('does not fire for a few declined payments', () => {
    expectFiring(
      {
        'shop_payments_total{provider="card", outcome="captured"}': '0 _x30 1 1x30',
        'shop_payments_total{provider="card", outcome="declined"}': '0 _x30 3 3x30',
      },
      [],
    );
  });
});

/** The endpoint of a sidecar with one more order and payment at each scrape. */
function metrics(): () => string {
  let scrapes = 0;
  const service = 'job="shop",instance="one"';
  const database = 'job="postgresql",instance="127.0.0.1:5432/shop"';
  return () => {
    scrapes += 1;
    return `# TYPE shop_checkouts counter
shop_checkouts_total{${service},outcome="paid"} ${scrapes}
# TYPE shop_payment_duration_seconds histogram
shop_payment_duration_seconds_bucket{${service},provider="card",le="0.1"} ${scrapes}
shop_payment_duration_seconds_bucket{${service},provider="card",le="+Inf"} ${scrapes}
shop_payment_duration_seconds_count{${service},provider="card"} ${scrapes}
shop_payment_duration_seconds_sum{${service},provider="card"} ${scrapes / 20}
# TYPE shop_orders counter
shop_orders_total{${database},channel="web"} ${scrapes}
# TYPE shop_payments counter
shop_payments_total{${database},provider="card",outcome="captured"} ${scrapes}
# TYPE shop_orders_pending gauge
shop_orders_pending{${database}} 2
# TYPE shop_orders_pending_oldest_seconds gauge
shop_orders_pending_oldest_seconds{${database}} 5
# TYPE memory_usage_bytes gauge
memory_usage_bytes{${service},component="rss"} 1048576
`;
  };
}
