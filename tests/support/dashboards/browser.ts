import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const EXECUTABLE = '/usr/bin/chromium';

/** Why tests in a browser cannot run here, or undefined if they can. */
export const chromiumMissing: string | undefined = existsSync(EXECUTABLE)
  ? undefined
  : `no ${EXECUTABLE} (Debian: apt-get install chromium)`;

/** Starts Debian's Chromium without a window and without background requests. */
export async function startBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
