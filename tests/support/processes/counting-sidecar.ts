import { CollectorProcess, siphonFromSource } from './collector-process.ts';
import { freePorts } from '../network/free-ports.ts';

interface CountingSettings {
  readonly datasource: string;
  /** The directory of its file storage. It survives the process. */
  readonly directory: string;
  /** A command that runs siphon, as what follows it. */
  readonly within?: readonly [file: string, ...args: string[]] | undefined;
  readonly compaction?: Readonly<Record<string, unknown>>;
}

/** siphon as a process that counts `public.orders`, each key once, as `orders_total`. */
export class CountingSidecar implements AsyncDisposable {
  readonly process: CollectorProcess;
  readonly #pagePort: number;
  readonly #telemetryPort: number;

  /** Resolves when the process exists. */
  static async launch(settings: CountingSettings): Promise<CountingSidecar> {
    const [pagePort = 0, telemetryPort = 0] = await freePorts(2);
    const [file, ...args] = [...(settings.within ?? []), ...siphonFromSource.command] as [string, ...string[]];
    const program = { name: 'siphon', command: [file, ...args] } as const;
    const process = await CollectorProcess.launch(program, configuration(settings, pagePort, telemetryPort));
    return new CountingSidecar(process, pagePort, telemetryPort);
  }

  /** Resolves when it reports that everything is ready. */
  static async start(settings: CountingSettings): Promise<CountingSidecar> {
    const sidecar = await CountingSidecar.launch(settings);
    await sidecar.process.ready();
    return sidecar;
  }

  private constructor(process: CollectorProcess, pagePort: number, telemetryPort: number) {
    this.process = process;
    this.#pagePort = pagePort;
    this.#telemetryPort = telemetryPort;
  }

  /** Undefined while it is not shown. */
  async orders(): Promise<number | undefined> {
    return await valueOf(this.#pagePort, 'orders_total{');
  }

  /** Sum of the samples of its own metrics whose lines start with the prefix; undefined without such lines. */
  async own(prefix: string): Promise<number | undefined> {
    return await valueOf(this.#telemetryPort, prefix);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
  }
}

async function valueOf(port: number, prefix: string): Promise<number | undefined> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith(prefix));
  if (lines.length === 0) return undefined;
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf('} ') + 2).split(' ', 1)[0]), 0);
}

function configuration(settings: CountingSettings, pagePort: number, telemetryPort: number): unknown {
  const { datasource, directory, compaction = {} } = settings;
  const queries = [{ name: 'orders', kind: 'counter', metric_name: 'orders', table: 'public.orders' }];
  return {
    receivers: {
      db_poller: {
        datasource,
        storage: 'file_storage',
        collection_interval: '200ms',
        initial_delay: '0s',
        leader_election: { enabled: false },
        queries,
      },
    },
    exporters: { prometheus: { endpoint: `127.0.0.1:${pagePort}` } },
    extensions: { file_storage: { directory, compaction } },
    service: {
      extensions: ['file_storage'],
      telemetry: {
        metrics: { readers: [{ pull: { exporter: { prometheus: { host: '127.0.0.1', port: telemetryPort } } } }] },
      },
      pipelines: { metrics: { receivers: ['db_poller'], exporters: ['prometheus'] } },
    },
  };
}
