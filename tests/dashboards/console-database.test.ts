/** The view of the database in a real browser: a real transaction blocks another one, and every name is markup. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DatabaseState } from '../../src/console/database-state.ts';
import { chromiumMissing, startBrowser } from '../support/dashboards/browser.ts';
import { openStrictly } from '../support/dashboards/strict-page.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres/test-postgres.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

const MARKUP = '<img src=x onerror=alert(1)>';
const SECRET = 'p4ssw0rd-in-a-statement';

/** Holds a row for four seconds, again and again; another request wants it. */
const SERVICE = `
  import { trace } from '@opentelemetry/api';
  import pg from 'pg';
  const tracer = trace.getTracer('shop');
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 4, application_name: ${JSON.stringify(MARKUP)} });
  const request = (name, body) => tracer.startActiveSpan(name, { root: true }, (span) => body().finally(() => span.end()));
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const update = 'update "${MARKUP}" set changes = changes + 1 where note <> \\'${SECRET}\\'';
  for (;;) {
    const held = Promise.withResolvers();
    const holder = request(${JSON.stringify(`hold ${MARKUP}`)}, async () => {
      const client = await pool.connect();
      await client.query('begin');
      await client.query(update);
      held.resolve();
      await sleep(4000);
      await client.query('commit');
      client.release();
    });
    await held.promise;
    await request(${JSON.stringify(`want ${MARKUP}`)}, () => pool.query(update));
    await holder;
  }
`;

describe.skipIf(chromiumMissing !== undefined)('the view of the database', () => {
  let postgres: TestPostgres;
  let sidecar: Sidecar;
  let service: ChildProcess;
  let browser: Browser;
  let url: string;

  beforeAll(async () => {
    postgres = await startTestPostgres({ schema: false });
    await postgres.sql(`create table "${MARKUP}" (changes int, note text); insert into "${MARKUP}" values (0, '')`);
    sidecar = await Sidecar.start({
      sets: [
        'extensions.metrics_history.interval=1s',
        'processors.batch.timeout=200ms',
        'receivers.db_poller.collection_interval=1s',
        'receivers.db_poller.initial_delay=0s',
      ],
      environment: { DATABASE_URL: postgres.pollerUrl },
    });
    url = sidecar.url({ id: 'console' });
    service = spawn(
      process.execPath,
      ['--import', './dist/sdk/preload.cjs', '--input-type=module', '--eval', SERVICE],
      {
        cwd: root,
        env: {
          PATH: process.env['PATH'],
          DATABASE_URL: postgres.url,
          OTEL_SERVICE_NAME: 'shop',
          OTEL_EXPORTER_OTLP_ENDPOINT: sidecar.otlpHttp,
          OTEL_BSP_SCHEDULE_DELAY: '200',
        },
        stdio: 'inherit',
      },
    );
    browser = await startBrowser();
    await waitFor(async () => (await linkedWaits()).length > 0, { what: 'a wait with both traces', timeoutMs: 60_000 });
  }, 180_000);

  afterAll(async () => {
    await browser?.close();
    if (service?.exitCode === null) {
      service.kill('SIGKILL');
      await once(service, 'exit');
    }
    await sidecar?.[Symbol.asyncDispose]();
    await postgres?.[Symbol.asyncDispose]();
  });

  async function state(): Promise<DatabaseState> {
    const answer = await fetch(`${url}/database`, { headers: { accept: 'application/json' } });
    return (await answer.json()) as DatabaseState;
  }

  async function linkedWaits() {
    const { lockWaits = [] } = await state();
    return lockWaits.filter(
      ({ waiter, blocker }) => waiter.statement !== undefined && blocker.transaction !== undefined,
    );
  }

  it('names who waits for whom, and the traces of both', async () => {
    const [wait] = await linkedWaits();
    expect(wait?.waiter.statement).toMatchObject({ service: 'shop', name: `want ${MARKUP}` });
    expect(wait?.blocker.transaction).toMatchObject({ service: 'shop', name: `hold ${MARKUP}` });
    expect(wait?.waitedMs).toBeGreaterThan(500);
    expect(wait?.waitedMs).toBeLessThan(4500);
    expect(wait?.waitedAtMostMs).toBeGreaterThanOrEqual(wait?.waitedMs ?? Infinity);
  });

  it('counts the sessions, and shows the poller', async () => {
    await waitFor(async () => (await valueOf('Sessions', 'longest transaction')) > 0.5, { what: 'a long transaction' });
    expect(await valueOf('Sessions', 'waiting locks')).toBeLessThanOrEqual(1);
    const { tables, missing } = await state();
    expect(missing).toEqual([]);
    const poller = tables.find(({ title }) => title === 'Poller');
    expect(poller?.lines.map(({ labels }) => labels[1])).toContain('lock_waits');
  });

  async function valueOf(title: string, column: string): Promise<number> {
    const table = (await state()).tables.find((one) => one.title === title);
    const index = table?.columns.findIndex(({ name }) => name === column) ?? -1;
    return table?.lines[0]?.values[index] ?? NaN;
  }

  it('has the same as text', async () => {
    const text = await (await fetch(`${url}/database`)).text();
    expect(text).toMatch(/^(Waits for locks|No session waits for a lock now)\n\d\d:\d\d:\d\d {2}/);
    expect(text).toContain(`for shop hold ${MARKUP}`);
    expect(text).toMatch(/\nSessions, read \S+ \S+ ago\nINSTANCE +ACTIVE/);
    expect(text).not.toContain(SECRET);
  });

  it('leads from a wait to the blocking trace, and shows where a number comes from', { timeout: 60_000 }, async () => {
    await using opened = await openStrictly(browser, `${url}/database`);
    const { page, problems } = opened;
    const wait = page
      .locator('article.group', { hasText: 'Show the statement' })
      .filter({ hasText: 'Show the transaction' });
    await page.locator('summary', { hasText: /is over|are over/ }).click();
    await wait.first().waitFor();
    expect(await page.locator('main').textContent()).not.toContain(SECRET);
    expect(await page.locator('img').count(), 'markup stays text').toBe(0);
    await page.getByRole('button', { name: 'longest transaction', exact: true }).press('Enter');
    await page.getByText('max by (instance) (database_transaction_longest_seconds)').waitFor();
    expect(await page.locator('.origin').textContent()).toMatch(/\d+ s ago at \d\d:/);
    await page.keyboard.press('Escape');
    await wait.first().getByRole('link', { name: 'Show the transaction' }).first().click();
    await page.waitForURL(/\/traces\/[0-9a-f]{32}\?span=/);
    await page.getByRole('tree', { name: 'Spans' }).getByText(`hold ${MARKUP}`).waitFor();
    expect(problems).toEqual([]);
  });

  it('fits a phone', async () => {
    await using opened = await openStrictly(browser, `${url}/database`, { width: 390, height: 800 });
    await opened.page.locator('.numbers-table').first().waitFor();
    expect(await opened.page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(390);
  });
});

describe('without a database', () => {
  it('names what is missing', async () => {
    await using alone = await Sidecar.start();
    const text = await (await fetch(`${alone.url({ id: 'console' })}/database`)).text();
    expect(text).toMatch(/^Whether a session waits for a lock is not known: nothing polls a database\n/);
    expect(text).toContain('set DATABASE_URL');
  });
});
