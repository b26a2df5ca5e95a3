/** `siphon dashboards preview` in a project with the packed package, with a real Prometheus and a real browser. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { runCommand } from '../support/processes/run-command.ts';
import { InstalledProject } from '../support/processes/installed-project.ts';
import { chromiumMissing, startBrowser } from '../support/dashboards/browser.ts';
import { PreviewPage } from '../support/dashboards/preview-page.ts';
import { prometheusMissing } from '../support/prometheus/prometheus-server.ts';

const missing = prometheusMissing ?? chromiumMissing;
if (missing !== undefined) process.stderr.write(`siphon dashboards preview is not tested: ${missing}\n`);

/** A database whose sidecar is scraped, too. */
const NAMES = `
  size_bytes connections connections_limit connections_used transaction_longest_seconds
  idle_in_transaction_longest_seconds xmin_age locks_waiting freeze_age transactions_total blocks_total
  rows_total deadlocks_total temp_bytes_total start_timestamp_seconds table_size_bytes table_rows
  table_changes_total table_scans_total wal_bytes_total io_bytes_total checkpoints_total
  checkpoint_time_seconds_total pages_written_total`;
const METRICS = NAMES.trim()
  .split(/\s+/)
  .map((name) => `database_${name}{job="db_poller",instance="shop"} 3\n`)
  .join('');

it.skipIf(missing !== undefined)('opens with a dashboard that has data, and ends with SIGTERM', async () => {
  await using scraped = await PreviewPage.start(() => METRICS, { sentry: new URL('https://example.sentry.io') });
  await scraped.prometheus.found('database_size_bytes');
  await using project = await InstalledProject.create();
  const command = path.join(project.folder, 'node_modules/.bin/siphon-otel');
  const args = ['dashboards', 'preview', '--prometheus', scraped.prometheus.url];
  const preview = spawn(command, args, { cwd: project.folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const [url] = (await once(createInterface({ input: preview.stdout }), 'line')) as [string];
  const asked = await fetch(url, { method: 'HEAD' });
  expect({ status: asked.status, body: await asked.text() }).toEqual({ status: 200, body: '' });

  const browser = await startBrowser();
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  await page.goto(url);
  expect(new URL(page.url()).pathname).toBe('/d/siphon-database');
  await page.locator('.panel[data-state=data]').first().waitFor();
  await browser.close();

  preview.kill('SIGTERM');
  expect((await once(preview, 'exit'))[0]).toBe(0);
});

it.each([
  [['--prometheus', 'prometheus:9090'], '--prometheus must be an address'],
  [['--port', '70000'], '--port must be a number'],
  [['--scrape-interval', 'often'], '--scrape-interval must be a duration'],
  [['--only', 'shop'], '--only shop: unknown pack'],
])('refuses %j', async (args, error) => {
  expect(await runCommand(['dashboards', 'preview', ...args])).toMatchObject({
    exitCode: 2,
    errors: expect.stringContaining(error),
  });
});
