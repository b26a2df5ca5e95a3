/**
 * Follows the README in the project of an Express and of a Fastify shop, against the clock: the commands of its blocks
 * `sh start`, in order, and its file `orders.yaml`. Only ports and the path of the packed package are replaced.
 */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { freePort } from '../../examples/postgres/free-port.ts';
import { commandsOf, fencedBlocks } from '../support/documents/fenced-blocks.ts';
import { shownOutput } from '../support/documents/shown-output.ts';
import { startTestPostgres } from '../support/postgres/test-postgres.ts';
import { ShellSession, type RunningCommand } from '../support/processes/shell-session.ts';
import { prometheusMissing } from '../support/prometheus/prometheus-server.ts';
import { waitFor } from '../support/wait-for.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const MAX_COMMANDS = 12;
const MAX_SECONDS = 180;
const ORDERS = 25;

if (prometheusMissing !== undefined) process.stderr.write(`The stopwatch does not run: ${prometheusMissing}\n`);

it.skipIf(prometheusMissing !== undefined).each(['express', 'fastify'])(
  'a %s shop has exact counters, a dashboard and alerts in three minutes',
  async (framework) => {
    await using postgres = await startTestPostgres({ schema: false });
    await postgres.sql(`create table orders (
      id bigint generated always as identity primary key, country text, created_at timestamptz default now())`);
    await using shop = await Shop.create(framework, postgres.url);
    const steps = await shop.steps();
    const commands = steps.flatMap((step) => step.commands);
    expect(commands.length).toBeLessThanOrEqual(MAX_COMMANDS);
    const startedAt = performance.now();
    for (const step of steps) {
      shop.output = '';
      for (const command of step.commands) await shop.follow(command);
      expect(shop.output).toMatch(shownOutput(step.shows));
    }
    await shop.checkPrometheus();
    const seconds = (performance.now() - startedAt) / 1000;
    process.stdout.write(`${framework}: ${commands.length} commands, ${seconds.toFixed(1)} s\n`);
    expect(seconds).toBeLessThan(MAX_SECONDS);
  },
  400_000,
);

interface LoadedRules {
  readonly data: { readonly groups: readonly { readonly rules: readonly { readonly health: string }[] }[] };
}

class Shop implements AsyncDisposable {
  /** The standard output of the commands that have ended. */
  output = '';
  readonly #shell: ShellSession;
  readonly #packageFile: string;
  /** Free ports in place of the default ones, which another process may have. */
  readonly #ports: Map<string, string>;
  #sidecar: RunningCommand | undefined;
  #service: RunningCommand | undefined;
  #preview = '';
  #ordered = 0;

  private constructor(shell: ShellSession, packageFile: string, ports: Map<string, string>) {
    this.#shell = shell;
    this.#packageFile = packageFile;
    this.#ports = ports;
  }

  /** A user's project before siphon. */
  static async create(framework: string, databaseUrl: string): Promise<Shop> {
    const folder = await mkdtemp(path.join(tmpdir(), `siphon-${framework}-`));
    const ports = new Map<string, string>();
    for (const port of ['4317', '4318', '8000', '8001', '8002', '8888', '13133', '13134', '9090', '3000']) {
      ports.set(port, String(await freePort(0)));
    }
    const environment = {
      ...process.env,
      SENTRY_DSN: '',
      DATABASE_URL: databaseUrl,
      PORT: ports.get('3000'),
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${ports.get('4318')}`,
    };
    const shell = new ShellSession(folder, environment);
    await cp(path.join(root, `tests/e2e/fixtures/shop/${framework}.mjs`), path.join(folder, 'app.js'));
    await writeFile(path.join(folder, 'package.json'), JSON.stringify({ name: 'shop', type: 'module', private: true }));
    const installed = await shell.run(`npm install --prefer-offline --no-audit --no-fund ${framework} pg`);
    expect(installed, installed.stderr).toMatchObject({ code: 0 });
    const packed = await shell.run(`npm pack --ignore-scripts --silent --pack-destination ${folder} ${root}`);
    return new Shop(shell, `./${packed.stdout.trim()}`, ports);
  }

  /** The shell blocks of the README, each with the output below it. Writes the file that the README shows. */
  async steps(): Promise<{ readonly commands: readonly string[]; readonly shows: string }[]> {
    const blocks = fencedBlocks(await readFile(path.join(root, 'README.md'), 'utf8'));
    for (const { info, text } of blocks) {
      const [, file] = /^file=(\S+)$/.exec(info) ?? [];
      if (file !== undefined) await writeFile(path.join(this.#shell.folder, file), text);
    }
    return blocks.flatMap((block, index) => {
      if (block.info !== 'start') return [];
      const next = blocks[index + 1];
      return [{ commands: commandsOf(block), shows: next?.language === 'text' ? next.text : '' }];
    });
  }

  /** Runs one command and checks what a reader expects of it. */
  async follow(written: string): Promise<void> {
    const command = this.#onFreePorts(written);
    if (command.startsWith('npm install ')) {
      await this.#succeeds(command.replace('siphon-otel', this.#packageFile));
    } else if (command.endsWith(' init')) {
      await this.#writeConfiguration(command);
    } else if (/ siphon-otel run\b/.test(command)) {
      await this.#startSidecar(command);
    } else if (command.startsWith('node ')) {
      this.#service = this.#shell.start(command);
      await this.#service.printed(/listening/);
      await this.#order();
    } else if (command.startsWith('curl ')) {
      await this.#page(command, /^http_server_request_duration_seconds_count\{.*\} 1$/m);
      await this.#page(command, /^database_size_bytes\{/m);
    } else if (command.startsWith('prometheus ')) {
      await this.#shell.start(command).printed(/Server is ready/);
    } else if (command.startsWith('cp ')) {
      await this.#succeeds(command);
      await this.#moveFile('prometheus.yaml');
    } else if (/ dashboards preview /.test(command)) {
      const [url] = await this.#shell.start(command).printed(/http:\S+/);
      this.#preview = url;
    } else {
      await this.#succeeds(command);
    }
  }

  async #writeConfiguration(command: string): Promise<void> {
    const printed = await this.#succeeds(command);
    for (const [, port = '', other = ''] of printed.matchAll(/Port (\d+) is in use: the file has (\d+) instead/g)) {
      this.#ports.set(other, this.#ports.get(port) ?? other);
    }
    await this.#moveFile('otel-collector.yaml');
  }

  /** The rules are loaded, the health of the database and the own counter are on the page of the dashboards. */
  async checkPrometheus(): Promise<void> {
    const api = `${this.#preview}prometheus/api/v1/query?query=`;
    const has = async (query: string): Promise<boolean> => {
      const answer = (await (await fetch(api + encodeURIComponent(query))).json()) as { data: { result: unknown[] } };
      return answer.data.result.length > 0;
    };
    await waitFor(async () => await has(`shop_orders_total{country="DE"} == ${ORDERS}`), {
      what: 'the exact counter in Prometheus',
      timeoutMs: 60_000,
    });
    const rules = `http://127.0.0.1:${this.#ports.get('9090')}/api/v1/rules`;
    await waitFor(
      async () => {
        const { data } = (await (await fetch(rules)).json()) as LoadedRules;
        const healths = data.groups.flatMap((group) => group.rules.map(({ health }) => health));
        return healths.length > 0 && healths.every((health) => health === 'ok');
      },
      { what: 'every rule to be evaluated', timeoutMs: 60_000 },
    );
    // The metrics of the last hour are known once Prometheus has scraped them.
    await waitFor(
      async () => (await fetch(this.#preview, { redirect: 'manual' })).headers.get('location') === '/d/siphon-service',
      { what: 'a dashboard with data', timeoutMs: 60_000 },
    );
    expect(await has('database_connections')).toBe(true);
  }

  /** The second start counts orders: those since then, each once. */
  async #startSidecar(command: string): Promise<void> {
    const isFirst = this.#sidecar === undefined;
    await this.#sidecar?.stop();
    this.#sidecar = this.#shell.start(command);
    await this.#sidecar.printed(/Everything is ready/);
    if (isFirst) return;
    const curl = this.#onFreePorts('curl -s http://127.0.0.1:8888/metrics');
    await this.#page(curl, /^siphon_db_poller_counting_since_timestamp_seconds\{.*query="orders".*\}/m);
    while (this.#ordered <= ORDERS) await this.#order();
    const page = this.#onFreePorts('curl -s http://127.0.0.1:8000/metrics');
    await this.#page(page, new RegExp(`^shop_orders_total\\{.*country="DE".*\\} ${ORDERS}$`, 'm'));
  }

  async #order(): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${this.#ports.get('3000')}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"country": "DE"}',
    });
    expect(response.status).toBe(201);
    this.#ordered += 1;
  }

  async #page(command: string, pattern: RegExp): Promise<void> {
    let page = '';
    await waitFor(async () => pattern.test((page = (await this.#shell.run(command)).stdout)), {
      what: `${pattern} in the answer of ${command}; sidecar: ${this.#sidecar?.stderr.slice(-2000)}`,
      timeoutMs: 60_000,
    });
    expect(page).toMatch(pattern);
  }

  async #succeeds(command: string): Promise<string> {
    const { code, stdout, stderr } = await this.#shell.run(command);
    expect(code, `${command}\n${stdout}${stderr}`).toBe(0);
    this.output += stdout;
    return stdout;
  }

  async #moveFile(name: string): Promise<void> {
    const file = path.join(this.#shell.folder, name);
    await writeFile(file, this.#onFreePorts(await readFile(file, 'utf8')));
  }

  #onFreePorts(text: string): string {
    return text.replaceAll(/(127\.0\.0\.1:|port: )(\d+)/g, (_, before: string, port: string) => {
      return before + (this.#ports.get(port) ?? port);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shell[Symbol.asyncDispose]();
    await rm(this.#shell.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
