import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AlertSink } from './alert-sink.ts';
import { freePorts } from '../network/free-ports.ts';
import { waitFor } from '../wait-for.ts';

/** Debian gives the server another name than its makers. */
const SERVER = ['prometheus-alertmanager', 'alertmanager'].find((name) => spawnSync(name, ['--version']).status === 0);

/** Why tests with a real Alertmanager and amtool cannot run here, or undefined if they can. */
export const alertmanagerMissing: string | undefined =
  SERVER !== undefined && spawnSync('amtool', ['--version']).status === 0
    ? undefined
    : 'no `alertmanager` and `amtool` on the PATH (Debian: apt-get install prometheus-alertmanager)';

export const shippedAlertmanager: string = fileURLToPath(new URL('../../../deploy/alertmanager', import.meta.url));

export interface PostedAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** In the past: it is over. */
  readonly endsAt?: string;
}

/** A real Alertmanager with the configuration that is shipped, whose messages go to a sink, and sooner. */
export class AlertmanagerServer implements AsyncDisposable {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #directory: string;

  private constructor(url: string, process: ChildProcess, directory: string) {
    this.url = url;
    this.#process = process;
    this.#directory = directory;
  }

  /**
   * @param groupWait how long what belongs together is waited for.
   * @param groupBy instead of the shipped labels, so that a test can distinguish faults of several roasters.
   */
  static async start(
    sink: AlertSink,
    { groupWait = '1s', groupBy }: { groupWait?: string; groupBy?: string } = {},
  ): Promise<AlertmanagerServer> {
    const directory = await mkdtemp(join(tmpdir(), 'siphon-alertmanager-'));
    const shipped = await readFile(join(shippedAlertmanager, 'alertmanager.yml'), 'utf8');
    const config = shipped
      .replaceAll('/etc/alertmanager/secrets', directory)
      .replace('https://dead-man.example.com/siphon', `${sink.url}/dead-man`)
      .replaceAll(/group_wait: \w+/g, `group_wait: ${groupWait}`)
      .replaceAll(/group_interval: \w+/g, 'group_interval: 1s')
      .replace('[alertname, severity]', groupBy ?? '$&');
    await writeFile(join(directory, 'alertmanager.yml'), config);
    await writeFile(join(directory, 'slack_url'), `${sink.url}/slack`);
    await writeFile(join(directory, 'dead_man_token'), 'secret');
    await cp(join(shippedAlertmanager, 'templates'), join(directory, 'templates'), { recursive: true });
    const [port] = await freePorts(1);
    const url = `http://127.0.0.1:${port}`;
    const options = [
      `--config.file=${join(directory, 'alertmanager.yml')}`,
      `--storage.path=${join(directory, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      `--web.external-url=${url}`,
      '--cluster.listen-address=',
      '--log.level=error',
    ];
    const server = new AlertmanagerServer(url, spawn(SERVER ?? '', options, { stdio: 'inherit' }), directory);
    try {
      await waitFor(async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.ok, {
        what: 'Alertmanager to be ready',
      });
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Posts alerts like Prometheus. */
  async post(alerts: readonly PostedAlert[]): Promise<void> {
    const response = await fetch(`${this.url}/api/v2/alerts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(alerts),
    });
    if (!response.ok) throw new Error(`Alertmanager responded with ${response.status}: ${await response.text()}`);
  }

  /** Returns each alert of this name with its labels, its state and what inhibits it. */
  async stateOf(alertname: string): Promise<readonly unknown[]> {
    const filter = encodeURIComponent(`alertname="${alertname}"`);
    const response = await fetch(`${this.url}/api/v2/alerts?filter=${filter}`);
    const alerts = (await response.json()) as readonly { readonly labels: unknown; readonly status: unknown }[];
    return alerts.map(({ labels, status }) => ({ labels, status }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, 'exit');
    await rm(this.#directory, { recursive: true, force: true });
  }
}
