/**
 * `npm run dashboards:pictures [-- NAME…]`: the pictures of the documentation. `-- --all FOLDER` takes every dashboard in
 * every situation, light, dark and on a phone.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { startPipeline } from '../../examples/coffee/pipeline-process.ts';
import { PrometheusSource } from '../../src/console/prometheus-source.ts';
import { ruleFiles } from '../../src/dashboards/rules/rule-files.ts';
import { defaultSettings } from '../../src/dashboards/rules/settings.ts';
import { startPreview } from '../support/dashboards/built-page.ts';
import { startBrowser } from '../support/dashboards/browser.ts';
import { MonitoredDemo, SCRAPE_S } from '../support/dashboards/monitored-demo.ts';
import { allPanelsHaveData, dashboards } from '../support/dashboards/panel-data.ts';
import { shipped } from '../support/dashboards/shipped.ts';
import { History } from '../support/history/history.ts';
import { recordDemo } from '../support/history/recorded-demo.ts';
import { waitFor } from '../support/wait-for.ts';

const DOCUMENTATION = fileURLToPath(new URL('../../docs/images/', import.meta.url));

/** The data behind a picture. */
type Situation = 'thirty-days' | 'fresh' | 'one-shot';

const LOOKS = {
  light: { colorScheme: 'light', viewport: { width: 1200, height: 1560 } },
  dark: { colorScheme: 'dark', viewport: { width: 1200, height: 900 } },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 1400 } },
} as const;

const DRAWN_MS = 120_000;

interface Picture {
  readonly of: Situation;
  readonly uid: string;
  readonly name: string;
  readonly look: keyof typeof LOOKS;
  readonly height?: number;
}

const PICTURES: readonly Picture[] = [
  { of: 'thirty-days', uid: 'siphon-pipeline', name: 'pipeline', look: 'light' },
  { of: 'thirty-days', uid: 'siphon-roaster', name: 'roaster', look: 'light', height: 1300 },
  { of: 'thirty-days', uid: 'siphon-prices', name: 'prices', look: 'light', height: 1420 },
  { of: 'thirty-days', uid: 'siphon-database', name: 'database', look: 'light' },
  { of: 'thirty-days', uid: 'siphon-sidecar', name: 'sidecar', look: 'light', height: 1125 },
  { of: 'thirty-days', uid: 'siphon-database', name: 'database-dark', look: 'dark' },
  { of: 'thirty-days', uid: 'siphon-pipeline', name: 'pipeline-phone', look: 'phone' },
  { of: 'fresh', uid: 'siphon-pipeline', name: 'pipeline-fresh', look: 'light', height: 900 },
  { of: 'one-shot', uid: 'siphon-prices', name: 'prices-one-shot', look: 'light', height: 900 },
];

interface Data {
  readonly prometheus: string;
  readonly scrapeS: number;
  /** The parameters of the address. */
  readonly time: string;
}

/** Thirty days in which several things go wrong. */
async function withThirtyDays(use: (data: Data) => Promise<void>): Promise<void> {
  const scrapeS = 300;
  const recording = await recordDemo({
    demo: { fullRunEveryS: 15, priceRunEveryS: 6 },
    faults: ['slow_store', 'rate_limit_storm', 'price_spike', 'hanging_transaction'],
    faultS: 12,
    peaceS: 22,
  });
  const rules = ruleFiles(shipped, defaultSettings).get('recording.yaml')!;
  await using history = await History.start(recording, { days: 30, stepS: scrapeS, rules });
  const { prometheus, weeks } = history;
  const time = `&from=${weeks.fromS * 1000}&to=${weeks.toS * 1000}`;
  await use({ prometheus: prometheus.url, scrapeS, time });
}

/** The first minutes after an installation. */
async function withFreshInstallation(use: (data: Data) => Promise<void>): Promise<void> {
  await using watched = await MonitoredDemo.start();
  await allPanelsHaveData(new PrometheusSource(watched.prometheus.url));
  await use({ prometheus: watched.prometheus.url, scrapeS: SCRAPE_S, time: '' });
}

/** Two jobs that are over before Prometheus has scraped them twice; the second one finds no store. */
async function withShortJobs(use: (data: Data) => Promise<void>): Promise<void> {
  await using watched = await MonitoredDemo.start({ demo: { once: true } });
  const { demo, prometheus } = watched;
  await demo.pipelineEnded();
  await demo.setFault('store_down', true);
  const { databaseUrl, ports, folder } = demo;
  await startPipeline({ databaseUrl, folder, otlpPort: ports.otlpHttp, schedule: 'once' }).ended;
  // Both jobs may be over before the first scrape.
  await prometheus.found('sum(scrape_runs_finished_total{status="fail"}) > 0', 60_000);
  await use({ prometheus: prometheus.url, scrapeS: SCRAPE_S, time: '' });
}

const SITUATIONS = {
  'thirty-days': withThirtyDays,
  fresh: withFreshInstallation,
  'one-shot': withShortJobs,
} as const satisfies Record<Situation, (use: (data: Data) => Promise<void>) => Promise<void>>;

async function takePictures(browser: Browser, { prometheus, scrapeS, time }: Data, shots: readonly Shot[]) {
  await using preview = await startPreview({ prometheus: new URL(prometheus), dashboards, scrapeS, port: 0 });
  for (const { uid, look, height, file, fullPage } of shots) {
    const { colorScheme, viewport } = LOOKS[look];
    const page = await browser.newPage({ colorScheme, viewport: { ...viewport, height: height ?? viewport.height } });
    await page.goto(`${preview.url}/d/${uid}?refresh=${time}`);
    await drawn(page);
    await page.screenshot({ path: file, fullPage, timeout: DRAWN_MS });
    process.stdout.write(`${path.relative('.', file)}\n`);
    await page.close();
  }
}

interface Shot {
  readonly uid: string;
  readonly look: keyof typeof LOOKS;
  readonly height?: number | undefined;
  readonly file: string;
  readonly fullPage: boolean;
}

function shotsOf(situation: Situation, [first, folder = '.', ...names]: readonly string[]): readonly Shot[] {
  const isAll = first === '--all';
  if (isAll) {
    const looks = Object.keys(LOOKS) as (keyof typeof LOOKS)[];
    return dashboards
      .flatMap(({ uid }) => looks.map((look) => ({ uid, look })))
      .map(({ uid, look }) => {
        return { uid, look, file: path.join(folder, `${situation}-${uid}-${look}.png`), fullPage: true };
      })
      .filter(() => names.length === 0 || names.includes(situation));
  }
  const chosen = new Set([first, folder, ...names]);
  return PICTURES.filter(({ of, name }) => of === situation && (first === undefined || chosen.has(name))).map(
    ({ uid, look, height, name }) => ({ uid, look, height, file: `${DOCUMENTATION}${name}.png`, fullPage: false }),
  );
}

async function drawn(page: Page): Promise<void> {
  await page.waitForSelector('.panel');
  const waiting = page.locator('details[open] .panel[data-state=loading]');
  await waitFor(async () => (await waiting.count()) === 0, { what: 'every panel to be drawn', timeoutMs: DRAWN_MS });
}

const [, , ...given] = process.argv;
const browser = await startBrowser();
for (const situation of Object.keys(SITUATIONS) as Situation[]) {
  const shots = shotsOf(situation, given);
  for (const { file } of shots) mkdirSync(path.dirname(file), { recursive: true });
  if (shots.length > 0) await SITUATIONS[situation]((data) => takePictures(browser, data, shots));
}
await browser.close();
