import { Child } from './child.ts';
import { freePort } from '../postgres/free-port.ts';

export interface SidecarPorts {
  readonly otlpHttp: number;
  readonly otlpGrpc: number;
  readonly scrape: number;
  readonly telemetry: number;
  readonly health: number;
  readonly store: number;
  readonly console: number;
  readonly history: number;
}

export interface SidecarOptions {
  readonly env: Record<string, string>;
  readonly logFile: string;
  /** The collection interval of the poller, e.g. `2s`. */
  readonly pollInterval: string;
  /** Additional `--set` options. */
  readonly settings: readonly string[];
}

const readyTimeoutMs = 15_000;
const startAttempts = 3;

/** The shipped configuration, and what the pipeline adds to it. */
export const CONFIGS = ['otel-collector.yaml', 'examples/coffee/otel-collector.yaml'] as const;

/** `siphon run` with these configurations as a process, which can be killed and restarted on the same ports. */
export class Sidecar {
  readonly ports: SidecarPorts;
  readonly #options: SidecarOptions;
  readonly #crash = Promise.withResolvers<string>();
  #child: Child | undefined;

  private constructor(ports: SidecarPorts, options: SidecarOptions) {
    this.ports = ports;
    this.#options = options;
  }

  /** Resolves when it is ready. */
  static async start(options: SidecarOptions): Promise<Sidecar> {
    for (let attempt = 1; ; attempt++) {
      const sidecar = new Sidecar(await choosePorts(), options);
      try {
        await sidecar.restart();
        return sidecar;
      } catch (error) {
        // Another process may have taken the port after it was chosen.
        if (attempt === startAttempts || !String(error).includes('already in use')) throw error;
      }
    }
  }

  /** Resolves with a description when the process ends unexpectedly. */
  get crashed(): Promise<string> {
    return this.#crash.promise;
  }

  async restart(): Promise<void> {
    const child = await launch(this.ports, this.#options);
    this.#child = child;
    void child.ended.then((how) => this.#child === child && this.#crash.resolve(how));
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    child?.process.kill('SIGKILL');
    await child?.ended;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    await child?.stop();
  }
}

/** Returns the ports of the shipped configuration if they are free, and other free ports otherwise. */
async function choosePorts(): Promise<SidecarPorts> {
  return {
    otlpHttp: await freePort(4318),
    otlpGrpc: await freePort(4317),
    scrape: await freePort(8000),
    telemetry: await freePort(8888),
    health: await freePort(13_133),
    store: await freePort(13_134),
    console: await freePort(8001),
    history: await freePort(8002),
  };
}

async function launch(ports: SidecarPorts, options: SidecarOptions): Promise<Child> {
  const sets = [
    `receivers.otlp.protocols.http.endpoint=127.0.0.1:${ports.otlpHttp}`,
    `receivers.otlp.protocols.grpc.endpoint=127.0.0.1:${ports.otlpGrpc}`,
    `receivers.db_poller.collection_interval=${options.pollInterval}`,
    'receivers.db_poller.initial_delay=0s',
    `exporters.prometheus.endpoint=127.0.0.1:${ports.scrape}`,
    `exporters.telemetry_store.endpoint=127.0.0.1:${ports.store}`,
    `extensions.health_check.endpoint=127.0.0.1:${ports.health}`,
    `extensions.metrics_history.endpoint=127.0.0.1:${ports.history}`,
    `extensions.console.endpoint=127.0.0.1:${ports.console}`,
    `service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${ports.telemetry}}}}}]`,
    ...options.settings,
  ].flatMap((set) => ['--set', set]);
  const configs = CONFIGS.flatMap((file) => ['--config', file]);
  const sidecar = new Child('sidecar', ['dist/main.js', 'run', ...configs, ...sets], options);
  try {
    await sidecar.hasLogged('Everything is ready', readyTimeoutMs);
  } catch (error) {
    await sidecar.stop();
    throw error;
  }
  return sidecar;
}

/** A Prometheus configuration that scrapes the demo's sidecar. */
export function prometheusConfig({ scrape, telemetry }: SidecarPorts): string {
  return `# prometheus --config.file=<this file>
global:
  scrape_interval: 5s
scrape_configs:
  - job_name: services
    honor_labels: true
    static_configs:
      - targets: ['127.0.0.1:${scrape}']
  - job_name: siphon
    static_configs:
      - targets: ['127.0.0.1:${telemetry}']
`;
}
