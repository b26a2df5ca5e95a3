import type { Browser, Page } from 'playwright-core';

/** A page, and everything that is wrong about it: errors of its script and of its security policy, and dialogs. */
export interface StrictPage extends AsyncDisposable {
  readonly page: Page;
  readonly problems: readonly string[];
}

export async function openStrictly(
  browser: Browser,
  address: string,
  viewport = { width: 1200, height: 800 },
): Promise<StrictPage> {
  const page = await browser.newPage({ viewport });
  const problems: string[] = [];
  page.on('pageerror', ({ message }) => problems.push(message));
  page.on('console', (line) => line.type() === 'error' && problems.push(line.text()));
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(address);
  return { page, problems, [Symbol.asyncDispose]: async () => await page.close() };
}
