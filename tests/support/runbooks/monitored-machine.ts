import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { load } from 'js-yaml';
import { AlertSink } from '../alerts/alert-sink.ts';
import { AlertmanagerServer, shippedAlertmanager } from '../alerts/alertmanager-server.ts';
import { freePorts } from '../network/free-ports.ts';
import { startTestPostgres, type TestPostgres } from '../postgres/test-postgres.ts';
import { CollectorProcess, siphonFromSource } from '../processes/collector-process.ts';
import { runCommand } from '../processes/run-command.ts';
import { PrometheusServer } from '../prometheus/prometheus-server.ts';
import type { RunbookCommand } from './runbook-commands.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The ports of runbooks, which are the defaults, and the servers of this machine that have others. */
type Servers = Readonly<Record<8000 | 8888 | 13_133 | 9090 | 9093, string>>;

/**
 * A machine as runbooks assume it: PostgreSQL with a read-only role for the sidecar and an owner that is not a superuser,
 * the sidecar, Prometheus and Alertmanager with the shipped files, and a folder with the user's `otel-collector.yaml`.
 */
export class MonitoredMachine implements AsyncDisposable {
  readonly database: TestPostgres;
  readonly ownerUrl: string;
  readonly prometheus: PrometheusServer;
  readonly #stack: AsyncDisposableStack;
  readonly #servers: Servers;
  readonly #store: string;
  readonly #folder: string;

  private constructor(
    stack: AsyncDisposableStack,
    parts: Pick<MonitoredMachine, 'database' | 'ownerUrl' | 'prometheus'>,
    { servers, store, folder }: { readonly servers: Servers; readonly store: string; readonly folder: string },
  ) {
    this.#stack = stack;
    this.database = parts.database;
    this.ownerUrl = parts.ownerUrl;
    this.prometheus = parts.prometheus;
    this.#servers = servers;
    this.#store = store;
    this.#folder = folder;
  }

  static async start(): Promise<MonitoredMachine> {
    await using stack = new AsyncDisposableStack();
    const folder = await mkdtemp(path.join(tmpdir(), 'siphon-runbooks-'));
    stack.defer(async () => await rm(folder, { recursive: true, force: true }));
    const database = stack.use(await startTestPostgres());
    const ownerUrl = await createOwner(database);
    const store = stack.use(await startStore()).url;
    const [page, own, health] = (await freePorts(3)).map((port) => `127.0.0.1:${port}`) as [string, string, string];
    const config = configuration(database.pollerUrl, { page, own, health, storage: path.join(folder, 'state') });
    stack.use(await CollectorProcess.start(siphonFromSource, config));
    await writeFile(path.join(folder, 'otel-collector.yaml'), JSON.stringify(config));

    const sink = stack.use(await AlertSink.start());
    const alertmanager = stack.use(await AlertmanagerServer.start(sink));
    await cp(shippedAlertmanager, path.join(folder, 'alertmanager'), { recursive: true });
    const targets = { '127.0.0.1:8000': page, '127.0.0.1:8888': own, '127.0.0.1:9093': new URL(alertmanager.url).host };
    const prometheus = stack.use(await startPrometheus(path.join(folder, 'prometheus'), targets));
    await installCommands(path.join(folder, 'bin'), prometheus.pid);
    const servers: Servers = {
      8000: `http://${page}`,
      8888: `http://${own}`,
      13_133: `http://${health}`,
      9090: prometheus.url,
      9093: alertmanager.url,
    };
    return new MonitoredMachine(stack.move(), { database, ownerUrl, prometheus }, { servers, store, folder });
  }

  /** Runs the command as the runbook describes it. @returns what it prints. @throws Error with its output if it fails. */
  async run({ language, text, role }: RunbookCommand): Promise<string> {
    if (language === 'promql') return JSON.stringify(await this.prometheus.query(text));
    const script =
      language === 'sql' ? psql(role === 'owner' ? 'OWNER_URL' : 'DATABASE_URL') : this.#onThisMachine(text);
    const running = promisify(execFile)('sh', ['-eu', '-c', script], {
      cwd: this.#folder,
      env: {
        PATH: `${path.join(this.#folder, 'bin')}:${process.env['PATH']}`,
        DATABASE_URL: this.database.pollerUrl,
        OWNER_URL: this.ownerUrl,
      },
    });
    running.child.stdin?.end(language === 'sql' ? text.replaceAll('TABLE', 'scrape_artifacts') : '');
    const { stdout, stderr } = await running.catch(({ code, stdout: out, stderr: err }) => {
      throw new Error(`exit code ${code} of ${text}\n${out}\n${err}`);
    });
    return `${stdout}${stderr}`;
  }

  /** Only the addresses and the folders of the machine differ. */
  #onThisMachine(text: string): string {
    const local = Object.entries(this.#servers).reduce(
      (command, [port, url]) => command.replaceAll(`http://127.0.0.1:${port}`, url),
      text,
    );
    return local
      .replaceAll(/\bADDRESS\b|https:\/\/sentry\.io/g, this.#store)
      .replaceAll('/etc/prometheus', path.join(this.#folder, 'prometheus'))
      .replaceAll('/etc/alertmanager', path.join(this.#folder, 'alertmanager'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

function psql(variable: string): string {
  return `psql "$${variable}" --no-psqlrc -v ON_ERROR_STOP=1 -v roaster=blue-tokai`;
}

/** A role as providers offer it: it owns the tables, and may end sessions of other roles. */
async function createOwner(database: TestPostgres): Promise<string> {
  const name = `${database.pollerRole}_owner`;
  await database.sql(
    `create role ${name} login password 'owner'; grant pg_signal_backend, pg_read_all_stats to ${name}`,
  );
  await database.sql(`do $$
    declare one record;
    begin
      for one in select oid::regclass as name from pg_class
                 where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') loop
        execute format('alter table %s owner to ${name}', one.name);
      end loop;
    end $$`);
  return Object.assign(new URL(database.url), { username: name, password: 'owner' }).href;
}

interface Addresses {
  readonly page: string;
  readonly own: string;
  readonly health: string;
  readonly storage: string;
}

function configuration(datasource: string, { page, own, health, storage }: Addresses): object {
  const [host, port] = own.split(':');
  const prometheus = { host, port: Number(port) };
  return {
    receivers: {
      db_poller: { datasource, storage: 'file_storage', packs: { scrape_pipeline: {}, postgres_health: {} } },
    },
    exporters: { prometheus: { endpoint: page } },
    extensions: {
      health_check: { endpoint: health },
      file_storage: { directory: storage, create_directory: true, max_size_mib: 1 },
    },
    service: {
      extensions: ['health_check', 'file_storage'],
      telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus } } }] } },
      pipelines: { metrics: { receivers: ['db_poller'], exporters: ['prometheus'] } },
    },
  };
}

/** With the shipped configuration and the exported rules in the folder. */
async function startPrometheus(folder: string, targets: Readonly<Record<string, string>>): Promise<PrometheusServer> {
  await mkdir(folder);
  const exported = await runCommand([
    'dashboards',
    'export',
    '--form',
    'prometheus',
    '--dir',
    path.join(folder, 'rules'),
  ]);
  if (exported.exitCode !== 0) throw new Error(exported.errors);
  const shipped = await readFile(path.join(root, 'deploy/prometheus/prometheus.yaml'), 'utf8');
  await writeFile(path.join(folder, 'prometheus.yaml'), shipped);
  const local = Object.entries(targets).reduce((text, [from, to]) => text.replaceAll(from, to), shipped);
  const config = load(local.replace('rules/', `${folder}/rules/`).replaceAll(/: \d+s/g, ': 1s')) as object;
  return await PrometheusServer.startWith(config);
}

/** `siphon` from the sources, and a `pidof` that finds only the Prometheus of this machine. */
async function installCommands(folder: string, prometheusPid: number): Promise<void> {
  await mkdir(folder);
  const siphon = `exec '${process.execPath}' '${path.join(root, 'src/main.ts')}' "$@"`;
  for (const [name, line] of Object.entries({ siphon, pidof: `echo ${prometheusPid}` })) {
    await writeFile(path.join(folder, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  }
}

/** Answers every request, like the store or the backend that a runbook asks. */
async function startStore(): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((_, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
