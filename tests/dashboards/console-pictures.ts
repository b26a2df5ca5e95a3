/**
 * `npm run console:pictures [-- VIEW…]`: the pictures of the console in the documentation, or those of these views, from a
 * demo in which a shop is slow, another one refuses, and a transaction hangs. `-- --of URL` takes those of a console that
 * runs already, and `--to FOLDER` writes them there, without loss.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Browser } from 'playwright-core';
import { startDemo } from '../../examples/coffee/start-demo.ts';
import type { Fault } from '../../examples/coffee/fault.ts';
import { LOOKS } from '../support/dashboards/all-pictures.ts';
import { startBrowser } from '../support/dashboards/browser.ts';
import { consolePictures, type ConsolePicture } from '../support/dashboards/console-views.ts';
import { webpOf } from '../support/dashboards/webp.ts';

const DOCUMENTATION = fileURLToPath(new URL('../../docs/images/', import.meta.url));

/** Other pages show these, too. The package contains their copies. */
const COPIES: Readonly<Record<string, string>> = {
  'console-blocked-dark': 'console-blocked',
  'console-database-dark': 'console-database',
};

/** The letters are readable, and a picture takes about 30 kB. */
const ENCODING = { scale: 0.8, quality: 0.3 };
const HEIGHTS = { light: 900, dark: 900, phone: 1000 };

/** Frames of stacks contain the folder of the repository. It is a text, because it runs in the page. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const WITHOUT_PATHS = `(() => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { currentNode } = texts;
    if (currentNode.data.includes(${JSON.stringify(ROOT)})) currentNode.data = currentNode.data.replaceAll(${JSON.stringify(ROOT)}, '/app/');
  }
})()`;

const PEACE_MS = 40_000;
const FAULTS: readonly Fault[] = ['slow_store', 'rate_limit_storm', 'hanging_transaction'];
const FAULT_MS = 30_000;

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { of: { type: 'string' }, to: { type: 'string' } },
});

async function withConsole(use: (url: string) => Promise<void>): Promise<void> {
  if (values.of !== undefined) return await use(values.of.replace(/\/$/, ''));
  await using demo = await startDemo({
    fullRunEveryS: 10,
    priceRunEveryS: 4,
    sidecarSettings: ['extensions.metrics_history.rules={}', 'extensions.metrics_history.interval=2s'],
  });
  await sleep(PEACE_MS);
  for (const fault of FAULTS) {
    await demo.setFault(fault, true);
    await sleep(FAULT_MS);
    // The last one is still there when the pictures are taken.
    if (fault !== FAULTS.at(-1)) await demo.setFault(fault, false);
  }
  await use(`http://127.0.0.1:${demo.ports.console}`);
}

async function takePicture(browser: Browser, url: string, { view, look, name }: ConsolePicture): Promise<void> {
  const { colorScheme, viewport } = LOOKS[look];
  const page = await browser.newPage({ colorScheme, viewport: { ...viewport, height: HEIGHTS[look] } });
  await page.goto(url + (await view.address(url)));
  await page.locator(view.drawn).first().waitFor();
  // Rates and later panels.
  await sleep(view.name === 'dashboard' ? 4000 : 1500);
  await page.evaluate(WITHOUT_PATHS);
  const png = await page.screenshot();
  if (values.to !== undefined) write(path.join(values.to, `${name}.png`), png);
  else {
    const picture = await webpOf(page, png, ENCODING);
    write(path.join(DOCUMENTATION, 'all', `${name}.webp`), picture);
    const copy = COPIES[name];
    if (copy !== undefined) write(path.join(DOCUMENTATION, `${copy}.webp`), picture);
  }
  await page.close();
}

function write(file: string, content: Buffer): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  process.stdout.write(`${path.relative('.', file)}\n`);
}

const browser = await startBrowser();
await withConsole(async (url) => {
  for (const picture of consolePictures) {
    if (wanted.length === 0 || wanted.includes(picture.view.name)) await takePicture(browser, url, picture);
  }
});
await browser.close();
