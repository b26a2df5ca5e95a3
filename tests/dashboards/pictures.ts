/**
 * `npm run dashboards:pictures [-- NAME…]`: the pictures of the documentation, or those with these names or of these
 * situations. `-- --all FOLDER` takes every dashboard in every situation, light, dark and on a phone, without loss.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { allPictures, LOOKS, SITUATIONS, type Look, type Situation } from '../support/dashboards/all-pictures.ts';
import { webpOf, type Encoding } from '../support/dashboards/webp.ts';
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

/** Long enough for graphs to be more than a dot at the end. */
const FIRST_MINUTES_MS = 90_000;

/** A page of panels is a sixth of a PNG, and the letters are as clear. */
const LARGE: Encoding = { scale: 1, quality: 0.4 };
/** For whole pages, because there are many: the letters are still readable. */
const SMALL: Encoding = { scale: 2 / 3, quality: 0.25 };

const DRAWN_MS = 120_000;

interface Picture {
  readonly of: Situation;
  readonly uid: string;
  readonly name: string;
  readonly look: Look;
  readonly height?: number;
}

const PICTURES: readonly Picture[] = [
  { of: 'thirty-days', uid: 'siphon-pipeline', name: 'pipeline', look: 'light' },
  { of: 'thirty-days', uid: 'siphon-roaster', name: 'roaster', look: 'light', height: 1300 },
  { of: 'thirty-days', uid: 'siphon-prices', name: 'prices', look: 'light', height: 1420 },
  { of: 'thirty-days', uid: 'siphon-database', name: 'database', look: 'light' },
  { of: 'thirty-days', uid: 'siphon-sidecar', name: 'sidecar', look: 'light', height: 1125 },
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
  await sleep(FIRST_MINUTES_MS);
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

const DATA = {
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
    const png = await page.screenshot({ fullPage, timeout: DRAWN_MS });
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, file.endsWith('.webp') ? await webpOf(page, png, fullPage ? SMALL : LARGE) : png);
    process.stdout.write(`${path.relative('.', file)}\n`);
    await page.close();
  }
}

interface Shot {
  readonly uid: string;
  readonly look: Look;
  readonly height?: number | undefined;
  readonly file: string;
  readonly fullPage: boolean;
}

function shotsOf(situation: Situation, [first, folder = '.', ...names]: readonly string[]): readonly Shot[] {
  if (first === '--all')
    return names.length === 0 || names.includes(situation) ? everyOne(situation, folder, '.png') : [];
  const chosen = new Set([first, folder, ...names]);
  const isWhole = first === undefined || chosen.has(situation);
  const named = PICTURES.filter(({ of, name }) => of === situation && (isWhole || chosen.has(name))).map(
    ({ uid, look, height, name }) => ({ uid, look, height, file: `${DOCUMENTATION}${name}.webp`, fullPage: false }),
  );
  return isWhole ? [...named, ...everyOne(situation, `${DOCUMENTATION}all`, '.webp')] : named;
}

function everyOne(situation: Situation, folder: string, extension: '.png' | '.webp'): readonly Shot[] {
  return allPictures
    .filter((picture) => picture.situation === situation)
    .map(({ uid, look, name }) => ({ uid, look, file: path.join(folder, name + extension), fullPage: true }));
}

async function drawn(page: Page): Promise<void> {
  await page.waitForSelector('.panel');
  const waiting = page.locator('details[open] .panel[data-state=loading]');
  await waitFor(async () => (await waiting.count()) === 0, { what: 'every panel to be drawn', timeoutMs: DRAWN_MS });
}

const [, , ...given] = process.argv;
const browser = await startBrowser();
for (const situation of SITUATIONS) {
  const shots = shotsOf(situation, given);
  if (shots.length > 0) await DATA[situation]((data) => takePictures(browser, data, shots));
}
await browser.close();
