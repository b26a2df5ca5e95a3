/** `npm run dashboards:pictures [-- NAME…]`: the pictures of the documentation, of thirty days in which several things go wrong. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startPreview } from '../support/dashboards/built-page.ts';
import { ruleFiles } from '../../src/dashboards/rules/rule-files.ts';
import { defaultSettings } from '../../src/dashboards/rules/settings.ts';
import { startBrowser } from '../support/dashboards/browser.ts';
import { shipped } from '../support/dashboards/shipped.ts';
import { History } from '../support/history/history.ts';
import { recordDemo } from '../support/history/recorded-demo.ts';
import { dashboards } from '../support/dashboards/panel-data.ts';
import { waitFor } from '../support/wait-for.ts';

const FOLDER = fileURLToPath(new URL('../../docs/images/', import.meta.url));

const PICTURES = [
  { uid: 'siphon-pipeline', name: 'pipeline', width: 1200, height: 1560, look: 'light' },
  { uid: 'siphon-roaster', name: 'roaster', width: 1200, height: 1300, look: 'light' },
  { uid: 'siphon-prices', name: 'prices', width: 1200, height: 1420, look: 'light' },
  { uid: 'siphon-database', name: 'database', width: 1200, height: 1560, look: 'light' },
  { uid: 'siphon-sidecar', name: 'sidecar', width: 1200, height: 1560, look: 'light' },
  { uid: 'siphon-database', name: 'database-dark', width: 1200, height: 900, look: 'dark' },
  { uid: 'siphon-pipeline', name: 'pipeline-phone', width: 390, height: 1400, look: 'light' },
] as const;

const SCRAPE_S = 300;

const recording = await recordDemo({
  demo: { fullRunEveryS: 15, priceRunEveryS: 6 },
  faults: ['slow_store', 'rate_limit_storm', 'price_spike', 'hanging_transaction'],
  faultS: 12,
  peaceS: 22,
});
await using history = await History.start(recording, {
  days: 30,
  stepS: SCRAPE_S,
  rules: ruleFiles(shipped, defaultSettings).get('recording.yaml')!,
});
await takePictures(history);

async function takePictures({ prometheus: { url }, weeks: { fromS, toS } }: History): Promise<void> {
  await using preview = await startPreview({ prometheus: new URL(url), dashboards, scrapeS: SCRAPE_S, port: 0 });
  const browser = await startBrowser();
  mkdirSync(FOLDER, { recursive: true });
  const [, , ...names] = process.argv;
  for (const { uid, name, width, height, look } of PICTURES) {
    if (names.length > 0 && !names.includes(name)) continue;
    const page = await browser.newPage({ colorScheme: look, viewport: { width, height } });
    await page.goto(`${preview.url}/d/${uid}?refresh=&from=${fromS * 1000}&to=${toS * 1000}`);
    await page.waitForSelector('.panel');
    const waiting = page.locator('details[open] .panel[data-state=loading]');
    await waitFor(async () => (await waiting.count()) === 0, { what: 'every panel to be drawn', timeoutMs: 120_000 });
    await page.screenshot({ path: `${FOLDER}${name}.png` });
    process.stdout.write(`docs/images/${name}.png\n`);
    await page.close();
  }
  await browser.close();
}
