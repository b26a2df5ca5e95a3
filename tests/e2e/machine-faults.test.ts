import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { SentrySink } from '../../examples/sentry-sink/sentry-sink.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { TcpProxy } from '../support/network/tcp-proxy.ts';
import { batchOfSpans, spanId } from '../support/otlp/otlp-spans.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres/test-postgres.ts';
import { waitFor } from '../support/wait-for.ts';

/** Each part works again within this time after the fault has ended. */
const RECOVERY_MS = 10_000;
const RECOVERY = { timeoutMs: RECOVERY_MS };
const FAULT_MS = 4000;
/** Several polls: after that every row has been counted. */
const SETTLED_MS = 2000;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MACHINE = new URL('fixtures/faulty-machine.mjs', import.meta.url).href;
const folder = mkdtempSync(path.join(tmpdir(), 'siphon-machine-'));
const disk = path.join(folder, 'disk');
mkdirSync(disk);
/** Only root can mount a disk of its own. */
const canMount = process.getuid?.() === 0 && shell(`mount -t tmpfs -o size=1m tmpfs ${disk}`);

function shell(script: string): boolean {
  return spawnSync('sh', ['-c', script]).status === 0;
}

let database: TestPostgres;

beforeAll(async () => {
  database = await startTestPostgres({ schema: false });
  await database.sql(
    'create table state (value int); insert into state values (1); create table orders (id serial primary key)',
  );
});

/** Also after a test that failed. */
afterEach(() => {
  if (canMount) shell(`mount -o remount,rw ${disk} && rm -f ${disk}/filler`);
});

afterAll(async () => {
  if (canMount) shell(`umount ${disk}`);
  rmSync(folder, { recursive: true, force: true });
  await database[Symbol.asyncDispose]();
});

/** A sidecar with all five parts, and the peers that faults concern. */
class Machine implements AsyncDisposable {
  readonly sentry = new SentrySink();
  readonly process: ChildProcess;
  readonly #ports: readonly number[];
  readonly #proxies: readonly TcpProxy[];
  readonly #state: string;
  #sent = 0;

  static async start({
    log = 'ignore',
    maxOpenFiles = 4096,
    state = {},
  }: { log?: 'ignore' | 'pipe' | number; maxOpenFiles?: number; state?: object } = {}): Promise<Machine> {
    const { hostname, port, pathname, username, password } = new URL(database.url);
    const sentry = new SentrySink();
    await sentry.listen(0);
    const proxies = [
      await TcpProxy.start({ host: hostname, port: Number(port) }),
      await TcpProxy.start({ host: '127.0.0.1', port: sentry.port }),
    ] as const;
    const ports = await freePorts(4);
    const [otlp, page, self, health] = ports;
    const config = path.join(folder, `${otlp}.yaml`);
    const stateFile = path.join(folder, `${otlp}.json`);
    writeFileSync(stateFile, JSON.stringify(state));
    const datasource = `postgresql://${username}:${password}@database.test:${proxies[0].port}${pathname}`;
    writeFileSync(
      config,
      `
receivers:
  otlp: {protocols: {http: {endpoint: '127.0.0.1:${otlp}'}}}
  sqlquery:
    driver: postgres
    datasource: '${datasource}?sslmode=disable'
    collection_interval: 500ms
    timeout: 2s
    queries: [{sql: select value from state, metrics: [{metric_name: state, value_column: value}]}]
  db_poller:
    datasource: '${datasource}?sslmode=disable'
    collection_interval: 500ms
    timeout: 2s
    storage: file_storage
    queries: [{name: orders, kind: counter, metric_name: orders, table: public.orders}]
exporters:
  prometheus: {endpoint: '127.0.0.1:${page}'}
  sentry:
    dsn: '${sentry.dsn.replace(/127\.0\.0\.1:\d+/, `sentry.test:${proxies[1].port}`)}'
    timeout: 2s
    retry_on_failure: {initial_interval: 500ms, max_interval: 2s}
    trace_buffer: {grace_period: 500ms}
extensions:
  health_check: {endpoint: '127.0.0.1:${health}'}
  file_storage: {directory: '${path.join(disk, String(otlp))}', create_directory: true}
service:
  extensions: [health_check, file_storage]
  pipelines:
    metrics: {receivers: [otlp, sqlquery, db_poller], exporters: [prometheus]}
    traces: {receivers: [otlp], exporters: [sentry]}
  telemetry:
    logs: {level: debug, sampling: {enabled: false}}
    metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${self}}}}}]}
`,
    );
    const child = spawn(
      'sh',
      [
        '-c',
        `ulimit -n ${maxOpenFiles}; exec "$@"`,
        'sh',
        process.execPath,
        '--import',
        MACHINE,
        'dist/main.js',
        'run',
        '--config',
        config,
      ],
      {
        cwd: ROOT,
        env: { PATH: process.env['PATH'], SIPHON_TEST_MACHINE: stateFile },
        stdio: ['ignore', 'ignore', log],
      },
    );
    child.stderr?.pause();
    const machine = new Machine(child, { sentry, ports, proxies, state: stateFile });
    await waitFor(async () => (await machine.health()) === 200, { what: 'the start', timeoutMs: 30_000 });
    return machine;
  }

  private constructor(
    child: ChildProcess,
    parts: { sentry: SentrySink; ports: readonly number[]; proxies: readonly TcpProxy[]; state: string },
  ) {
    this.process = child;
    this.sentry = parts.sentry;
    this.#ports = parts.ports;
    this.#proxies = parts.proxies;
    this.#state = parts.state;
  }

  /** Each metric without a value is one line: more than a pipe and the buffer of the log take. */
  async causeLogLines(count: number): Promise<void> {
    const metrics = Array.from({ length: count }, (_, index) => ({
      name: `${'m'.repeat(400)}${index}`,
      gauge: { dataPoints: [{ timeUnixNano: '1' }] },
    }));
    const body = JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
    expect(await this.#post('metrics', 'application/json', body)).toBe(200);
  }

  become(state: object): void {
    writeFileSync(this.#state, JSON.stringify(state));
  }

  silencePeers(): void {
    for (const proxy of this.#proxies) proxy.silence();
  }

  resumePeers(): void {
    for (const proxy of this.#proxies) proxy.resume();
  }

  /** Idle connections to the receiver. */
  occupy(count: number): Socket[] {
    return Array.from({ length: count }, () => connect(this.#ports[0]!, '127.0.0.1').on('error', () => undefined));
  }

  async health(): Promise<number> {
    return (await this.#get(3, '/')).status;
  }

  async self(): Promise<string> {
    const { status, text } = await this.#get(2, '/metrics');
    return status === 200 ? text : '';
  }

  /** Sends a new value by OTLP, and resolves with true when the page shows it. */
  async otlpWorks(): Promise<boolean> {
    const value = ++this.#sent;
    const timeUnixNano = `${Date.now()}000000`;
    const metric = { name: 'sent', gauge: { dataPoints: [{ asInt: String(value), timeUnixNano }] } };
    const body = JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics: [metric] }] }] });
    if ((await this.#post('metrics', 'application/json', body)) !== 200) return false;
    return new RegExp(`^sent(\\{.*\\})? ${value}$`, 'm').test(await this.page());
  }

  async page(): Promise<string> {
    return (await this.#get(1, '/metrics')).text;
  }

  /** Sends a span, and resolves with true when Sentry has more transactions than before. */
  async sentryWorks(): Promise<boolean> {
    const name = `span ${++this.#sent}`;
    return (await this.sendSpan(name)) && (await this.sentry.waitFor(() => this.hasTransaction(name), 3000));
  }

  /** Changes the row that the gauge shows. */
  async databaseWorks(): Promise<boolean> {
    const value = ++this.#sent;
    await database.sql('update state set value = $1', [value]);
    return await shows(this, new RegExp(`^state(\\{.*\\})? ${value}$`, 'm'));
  }

  /** Adds a row to the table that is counted exactly, with its position in the storage. */
  async storageWorks(): Promise<boolean> {
    const before = await this.orders();
    await database.sql('insert into orders default values');
    return await shows(this, (page) => ordersOn(page) > (Number.isNaN(before) ? -1 : before));
  }

  orders = async (): Promise<number> => ordersOn(await this.page());

  /** @returns true if the receiver accepts it. */
  async sendSpan(name: string): Promise<boolean> {
    const id = ++this.#sent;
    const traceId = id.toString(16).padStart(32, '0');
    const [body] = batchOfSpans([{ traceId, spanId: spanId(id), kind: 'server', name }]).chunks;
    return (await this.#post('traces', 'application/x-protobuf', body as Uint8Array<ArrayBuffer>)) === 200;
  }

  hasTransaction = (name: string) => this.sentry.transactions().some(({ transaction }) => transaction === name);

  async [Symbol.asyncDispose](): Promise<void> {
    const exited =
      this.process.exitCode === null && this.process.signalCode === null ? once(this.process, 'exit') : undefined;
    this.process.kill('SIGKILL');
    await exited;
    for (const proxy of this.#proxies) await proxy[Symbol.asyncDispose]();
    await this.sentry[Symbol.asyncDispose]();
  }

  async #get(port: number, target: string): Promise<{ status: number; text: string }> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.#ports[port]}${target}`, {
        signal: AbortSignal.timeout(2000),
      });
      return { status: answer.status, text: await answer.text() };
    } catch {
      return { status: 0, text: '' };
    }
  }

  async #post(signal: string, type: string, body: string | Uint8Array<ArrayBuffer>): Promise<number> {
    try {
      const options = { method: 'POST', headers: { 'content-type': type }, body, signal: AbortSignal.timeout(5000) };
      const answer = await fetch(`http://127.0.0.1:${this.#ports[0]}/v1/${signal}`, options);
      await answer.arrayBuffer();
      return answer.status;
    } catch {
      return 0;
    }
  }
}

function ordersOn(page: string): number {
  return Number(/^orders_total(?:\{.*\})? (\d+)$/m.exec(page)?.[1]);
}

const orderRows = async () => Number((await database.sql('select count(*) as n from orders'))[0]?.['n']);

async function shows(machine: Machine, expected: RegExp | ((page: string) => boolean)): Promise<boolean> {
  const matches = expected instanceof RegExp ? (page: string) => expected.test(page) : expected;
  for (const until = Date.now() + 3000; Date.now() < until; await sleep(100))
    if (matches(await machine.page())) return true;
  return false;
}

type Part = 'otlp' | 'database' | 'sentry' | 'scrape' | 'storage';

const PARTS: Readonly<Record<Part, (machine: Machine) => Promise<boolean>>> = {
  otlp: (machine) => machine.otlpWorks(),
  scrape: async (machine) => (await machine.page()).includes('target_info') || (await machine.page()) !== '',
  sentry: (machine) => machine.sentryWorks(),
  database: (machine) => machine.databaseWorks(),
  storage: (machine) => machine.storageWorks(),
};

interface Fault {
  readonly name: string;
  readonly start?: Parameters<typeof Machine.start>[0];
  /** Begins the fault; resolves with its end. */
  begin(machine: Machine): Promise<() => unknown>;
  /** The parts that must work meanwhile. */
  readonly works: readonly Part[];
  /** A line of the sidecar's own metrics that the fault causes. */
  readonly shows?: RegExp;
  /** False while the process cannot answer. */
  readonly answers?: false;
  readonly skip?: boolean;
  /** Begins a fault that exists before the process starts. */
  readonly before?: (this: void) => boolean;
}

const clock = (hours: number): Fault => ({
  name: `clock ${hours > 0 ? '+' : ''}${hours} h`,
  begin: async (machine) => {
    machine.become({ clockMs: hours * 3_600_000 });
    await sleep(200);
    return () => machine.become({});
  },
  works: ['otlp', 'scrape', 'sentry', 'database', 'storage'],
  // The values of siphon's own receivers were in the future.
  ...(hours < 0 ? { shows: /^siphon_prometheus_clock_set_points(\{.*\})? [1-9]/m } : {}),
});

const STORAGE_ERRORS = /^siphon_db_poller_errors\{.*reason="storage".*\} [1-9]/m;

const CONNECTION_ERRORS = /^siphon_db_poller_errors\{.*reason="connection".*\} [1-9]/m;

const FAULTS: readonly Fault[] = [
  {
    name: 'disk full',
    skip: !canMount,
    begin: async () => {
      shell(`cat /dev/zero > ${disk}/filler`);
      return () => rmSync(`${disk}/filler`, { force: true });
    },
    works: ['otlp', 'scrape', 'sentry', 'database'],
    shows: STORAGE_ERRORS,
  },
  {
    name: 'disk read-only',
    skip: !canMount,
    // Linux does not make a disk read-only while a file is open for writing.
    before: () => shell(`mount -o remount,ro ${disk}`),
    begin: async () => () => shell(`mount -o remount,rw ${disk}`),
    works: ['otlp', 'scrape', 'sentry', 'database'],
    shows: STORAGE_ERRORS,
  },
  {
    name: 'no file descriptors',
    start: { maxOpenFiles: 64 },
    begin: async (machine) => {
      const idle = machine.occupy(200);
      return () => idle.forEach((socket) => socket.destroy());
    },
    works: ['otlp', 'scrape', 'sentry', 'database', 'storage'],
  },
  {
    name: 'log on a full disk',
    start: { log: openSync('/dev/full', 'w') },
    begin: async () => () => undefined,
    works: ['otlp', 'scrape', 'sentry', 'database', 'storage'],
    shows: /^siphon_log_lines_lost [1-9]/m,
  },
  {
    name: 'log pipe that is not read',
    start: { log: 'pipe' },
    begin: async (machine) => {
      await machine.causeLogLines(1000);
      return () => machine.process.stderr?.resume();
    },
    works: ['otlp', 'scrape', 'sentry', 'database', 'storage'],
    shows: /^siphon_log_lines_lost [1-9]/m,
  },
  clock(1),
  clock(-1),
  clock(24),
  clock(-24),
  {
    name: 'SIGSTOP',
    begin: async (machine) => {
      machine.process.kill('SIGSTOP');
      return () => machine.process.kill('SIGCONT');
    },
    works: [],
    answers: false,
  },
  {
    name: 'DNS dead',
    start: { state: { dns: 'dead' } },
    begin: async (machine) => () => machine.become({}),
    works: ['otlp', 'scrape'],
    shows: CONNECTION_ERRORS,
  },
  {
    name: 'peer half-open',
    begin: async (machine) => {
      machine.silencePeers();
      return () => machine.resumePeers();
    },
    works: ['otlp', 'scrape'],
    shows: /^siphon_db_poller_errors\{.*reason="(timeout|connection)".*\} [1-9]/m,
  },
];

/** Uses the parts that must work, and waits for the metric that the fault causes. */
async function checkDuring({ works, shows: shown = /./ }: Fault, machine: Machine): Promise<void> {
  for (const part of works) await recovered(machine, part, RECOVERY_MS);
  const isShown = async (): Promise<boolean> => {
    // Something to store or to log.
    await database.sql('insert into orders default values');
    const page = await machine.self();
    return page.includes('otelcol_process_uptime') && shown.test(page);
  };
  await waitFor(isShown, { what: `the own metrics with ${String(shown)}`, timeoutMs: RECOVERY_MS });
}

for (const fault of FAULTS)
  it.skipIf(fault.skip ?? false)(
    `${fault.name}: the process stays alive, :8888 is correct, and every part recovers`,
    async () => {
      const { start, answers, before } = fault;
      if (before !== undefined) expect(before()).toBe(true);
      await using machine = await Machine.start(start);
      const isHealthy = before === undefined && start?.state === undefined;
      if (isHealthy) for (const part of Object.keys(PARTS) as Part[]) await recovered(machine, part, 20_000);
      // Without a fault at the start, every row from now on is counted.
      if (isHealthy) await sleep(SETTLED_MS);
      const [ordersBefore, rowsBefore] = isHealthy ? [await machine.orders(), await orderRows()] : [0, 0];
      const end = await fault.begin(machine);
      let isSpanAccepted = false;
      try {
        const faultUntil = Date.now() + FAULT_MS;
        await database.sql('insert into orders default values');
        isSpanAccepted = await machine.sendSpan('during the fault');
        expect(isSpanAccepted).toBe(answers !== false);
        if (answers !== false) await checkDuring(fault, machine);
        await sleep(Math.max(0, faultUntil - Date.now()));
      } finally {
        end();
      }
      await Promise.all((Object.keys(PARTS) as Part[]).map((part) => recovered(machine, part, RECOVERY_MS)));
      if (isSpanAccepted)
        // Its next attempt may come later than that of a newer span.
        await waitFor(() => machine.hasTransaction('during the fault'), { ...RECOVERY, what: 'the earlier span' });
      if (isHealthy) {
        const rows = (await orderRows()) - rowsBefore;
        const isCounted = async (): Promise<boolean> => (await machine.orders()) - ordersBefore === rows;
        await waitFor(isCounted, { ...RECOVERY, what: `that all ${rows} rows are counted` });
      }
      expect([await machine.health(), machine.process.exitCode, machine.process.signalCode]).toEqual([200, null, null]);
      expect(await machine.self()).toMatch(/^siphon_uncaught_errors 0$/m);
      expect(await machine.self()).not.toMatch(/^siphon_ledger_difference_items\{.*\} (?!0$)/m);
    },
  );

/** Resolves when the part works; rejects if it does not in time. */
async function recovered(machine: Machine, part: Part, timeoutMs: number): Promise<void> {
  await waitFor(async () => await PARTS[part](machine), { what: `that ${part} works`, timeoutMs });
}

it('SIGUSR1 opens no debugger', async () => {
  const log = path.join(folder, 'log');
  await using machine = await Machine.start({ log: openSync(log, 'w') });
  machine.process.kill('SIGUSR1');
  await waitFor(() => readFileSync(log, 'utf8').includes('SIGUSR1 has no effect'), { what: 'the log line' });
  expect(readFileSync(log, 'utf8')).not.toContain('Debugger');
  expect(await machine.health()).toBe(200);
});
