/** The example shop as a user runs it: the service with the preload, and the built command with a pack from a file. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { projectRoot } from '../support/processes/demo-process.ts';
import { siphon } from '../support/processes/run-built-command.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { startTestPostgres } from '../support/postgres/test-postgres.ts';
import { parsePrometheusText } from '../support/prometheus/prometheus-text.ts';
import { waitFor } from '../support/wait-for.ts';

const CONFIG = 'examples/shop/otel-collector.yaml';
const PACK = 'examples/shop/pack.ts';

it('counts every order and payment exactly, in the service and in the database', async () => {
  await using postgres = await startTestPostgres({ schema: false });
  await postgres.sql(await readFile(`${projectRoot}examples/shop/schema.sql`, 'utf8'));
  // The sidecar counts only rows that are inserted after its start.
  await postgres.sql(`insert into orders (channel, amount) values ('web', 5)`);
  await using sidecar = await Sidecar.start({
    configs: [CONFIG],
    environment: { DATABASE_URL: postgres.url },
    sets: ['receivers.db_poller.collection_interval=200ms'],
  });
  const scraped = async (name: string, labels: Readonly<Record<string, string>> = {}): Promise<number | undefined> => {
    const families = parsePrometheusText(await sidecar.scrape());
    const samples = families.flatMap((family) => family.samples).filter((sample) => sample.name === name);
    const matching = samples.filter((sample) =>
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
    );
    return matching.length === 0 ? undefined : matching.reduce((sum, { value }) => sum + value, 0);
  };
  await waitFor(async () => (await scraped('shop_payments_total', { provider: 'invoice' })) === 0, {
    what: 'the counters to start',
  });

  await using service = await ShopService.start(postgres.url, sidecar.otlpHttp);
  const checkouts = [
    ...Array.from({ length: 30 }, () => ({ channel: 'web', provider: 'card', amount: 20 })),
    ...Array.from({ length: 10 }, () => ({ channel: 'app', provider: 'invoice', amount: 999 })),
  ];
  const statuses = await Promise.all(checkouts.map(async (checkout) => await service.post(checkout)));
  expect(statuses.filter((status) => status === 201)).toHaveLength(30);
  expect(statuses.filter((status) => status === 402)).toHaveLength(10);
  expect(await service.post({ channel: 'fax' })).toBe(400);

  await waitFor(
    async () =>
      (await scraped('shop_payments_total')) === 40 && (await scraped('shop_checkouts_total', { outcome: 'invalid' })),
    { what: 'the last numbers' },
  );
  expect(await scraped('shop_checkouts_total', { outcome: 'paid' })).toBe(30);
  expect(await scraped('shop_checkouts_total', { outcome: 'declined' })).toBe(10);
  expect(await scraped('shop_payment_duration_seconds_count', { provider: 'card' })).toBe(30);
  expect(await scraped('shop_orders_total', { channel: 'web' })).toBe(30);
  expect(await scraped('shop_orders_total', { channel: 'app' })).toBe(10);
  expect(await scraped('shop_payments_total', { provider: 'card', outcome: 'captured' })).toBe(30);
  expect(await scraped('shop_payments_total', { provider: 'invoice', outcome: 'declined' })).toBe(10);
  expect(await scraped('shop_orders_pending')).toBe(1);
  const orders = { http_route: '/orders', http_response_status_code: '402' };
  await waitFor(async () => (await scraped('http_server_request_duration_seconds_count', orders)) === 10, {
    what: 'the requests of the pack service',
  });
  expect(await service.stop()).toBe(0);
});

it('passes the checks of siphon', async () => {
  expect(await siphon(['packs', 'check', PACK])).toMatchObject({ exitCode: 0, stderr: '' });
  const environment = { DATABASE_URL: 'postgresql://127.0.0.1/shop' };
  expect(await siphon(['validate', '--config', CONFIG], environment)).toMatchObject({ exitCode: 0, stderr: '' });
});

it('passes them in a CommonJS project too, without a warning of Node', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'siphon-commonjs-'));
  try {
    await cp(`${projectRoot}examples/shop`, folder, {
      recursive: true,
      filter: (file) => !file.includes('node_modules'),
    });
    await writeFile(path.join(folder, 'package.json'), '{"type": "commonjs"}');
    await cp(`${projectRoot}package.json`, path.join(folder, 'node_modules/siphon-otel/package.json'));
    await symlink(`${projectRoot}dist`, path.join(folder, 'node_modules/siphon-otel/dist'));
    const checked = await siphon(['packs', 'check', path.join(folder, 'pack.ts')]);
    expect(checked).toMatchObject({ exitCode: 0, stderr: '' });
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('exports its dashboard and its rules', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'siphon-shop-'));
  try {
    const options = ['--dir', folder, '--pack', PACK, '--only', 'shop'];
    for (const args of [options, [...options, '--form', 'prometheus']]) {
      expect(await siphon(['dashboards', 'export', ...args])).toMatchObject({ exitCode: 0, stderr: '' });
    }
    expect((await readdir(folder)).toSorted()).toEqual(['alerts.yaml', 'recording.yaml', 'shop.json']);
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** The service as a process. */
class ShopService implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #url: string;

  private constructor(process: ChildProcess, url: string) {
    this.#process = process;
    this.#url = url;
  }

  static async start(databaseUrl: string, otlpEndpoint: string): Promise<ShopService> {
    const child = spawn(process.execPath, ['--import', 'siphon-otel/preload', 'examples/shop/service.ts'], {
      cwd: projectRoot,
      env: {
        PATH: process.env['PATH'],
        PORT: '0',
        DATABASE_URL: databaseUrl,
        OTEL_SERVICE_NAME: 'shop',
        OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint,
        OTEL_METRIC_EXPORT_INTERVAL: '500',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const url = /http:\S+/.exec(line)?.[0];
      if (url !== undefined) return new ShopService(child, url);
    }
    throw new Error('the service ended before it listened');
  }

  /** Posts a checkout and returns the status. */
  async post(checkout: object): Promise<number> {
    const response = await fetch(`${this.#url}/orders`, { method: 'POST', body: JSON.stringify(checkout) });
    await response.body?.cancel();
    return response.status;
  }

  async stop(): Promise<number | null> {
    if (this.#process.exitCode === null) {
      const exited = once(this.#process, 'exit');
      this.#process.kill('SIGTERM');
      await exited;
    }
    return this.#process.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null) this.#process.kill('SIGKILL');
  }
}
