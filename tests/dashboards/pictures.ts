/** `npm run dashboards:pictures`: the pictures of the documentation, of a demo in which something goes wrong. */
import { mkdirSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startPreview } from '../../src/console/preview/server.ts';
import { dashboards } from '../../src/dashboards/content/dashboards.ts';
import { plain } from '../../src/dashboards/model/plain.ts';
import type { Fault } from '../../src/demo/fault.ts';
import { startBrowser } from '../support/browser.ts';
import { waitFor } from '../support/wait-for.ts';
import { SCRAPE_S, WatchedDemo } from '../support/watched-demo.ts';

const FOLDER = fileURLToPath(new URL('../../docs/images/', import.meta.url));

/** What goes wrong one after the other, each for a while, with some peace before and after. */
const FAULTS: readonly Fault[] = ['slow_store', 'rate_limit_storm', 'price_spike', 'hanging_transaction'];
const PEACE_S = 50;
const FAULT_S = 20;
const BETWEEN_S = 20;

const PICTURES = [
  { uid: 'siphon-pipeline', name: 'pipeline', width: 1200, height: 1560, look: 'light' },
  { uid: 'siphon-roaster', name: 'roaster', width: 1200, height: 1300, look: 'light' },
  { uid: 'siphon-prices', name: 'prices', width: 1200, height: 1420, look: 'light' },
  { uid: 'siphon-database', name: 'database', width: 1200, height: 1560, look: 'light' },
  { uid: 'siphon-prices', name: 'prices-dark', width: 1200, height: 880, look: 'dark' },
  { uid: 'siphon-pipeline', name: 'pipeline-phone', width: 390, height: 1400, look: 'light' },
] as const;

const startedS = Date.now() / 1000;
await using watched = await WatchedDemo.start({ demo: { fullRunEveryS: 15, priceRunEveryS: 6 } });
await sleep(PEACE_S * 1000);
for (const fault of FAULTS) {
  process.stdout.write(`${fault}\n`);
  await watched.demo.setFault(fault, true);
  await sleep(FAULT_S * 1000);
  await watched.demo.setFault(fault, false);
  await sleep(BETWEEN_S * 1000);
}
await takePictures(`&from=${Math.floor(startedS * 1000)}&to=${Date.now()}`);

async function takePictures(time: string): Promise<void> {
  const prometheus = new URL(watched.prometheus.url);
  const preview = await startPreview({ prometheus, dashboards: dashboards.map(plain), scrapeS: SCRAPE_S, port: 0 });
  const { port } = preview.address() as AddressInfo;
  const browser = await startBrowser();
  mkdirSync(FOLDER, { recursive: true });
  for (const { uid, name, width, height, look } of PICTURES) {
    const page = await browser.newPage({ colorScheme: look, viewport: { width, height } });
    await page.goto(`http://127.0.0.1:${port}/d/${uid}?refresh=${time}`);
    await page.waitForSelector('.panel');
    const waiting = page.locator('details[open] .panel[data-state=loading]');
    await waitFor(async () => (await waiting.count()) === 0, { what: 'every panel to be drawn', timeoutMs: 120_000 });
    await page.screenshot({ path: `${FOLDER}${name}.png` });
    process.stdout.write(`docs/images/${name}.png\n`);
    await page.close();
  }
  await browser.close();
  preview.close();
  preview.closeAllConnections();
}
