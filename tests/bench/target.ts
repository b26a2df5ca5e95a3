import { fileURLToPath } from 'node:url';
import { CollectorProcess, type CollectorProgram } from '../support/processes/collector-process.ts';
import { freePorts } from '../support/network/free-ports.ts';
import type { LoadOrder, LoadReport, Protocol } from './generator.ts';
import type { LoadShape } from './load-shape.ts';
import { cpuMicroseconds, peakMebibytes } from './process-usage.ts';
import { runProgram } from './run-program.ts';
import { scrape, verifyPage, type Encoding, type Scrape } from './scrape.ts';
import type { ProbeOrder } from './wait-probe.ts';

const GENERATOR = fileURLToPath(new URL('generator.ts', import.meta.url));
const WAIT_PROBE = fileURLToPath(new URL('wait-probe.ts', import.meta.url));

/** The ports of OTLP and of the scrape page. */
type Ports = readonly [number, number];

/** More than the largest case needs, `target_info` included. */
const MAX_SERIES = 2_000_000;

/** A collector under load: OTLP in, a scrape page out. */
export class Target implements AsyncDisposable {
  readonly #process: CollectorProcess;
  readonly #protocol: Protocol;
  readonly #otlpPort: number;
  readonly #scrapePort: number;
  #lastPass = 0;

  private constructor(process: CollectorProcess, protocol: Protocol, [otlpPort, scrapePort]: Ports) {
    this.#process = process;
    this.#protocol = protocol;
    this.#otlpPort = otlpPort;
    this.#scrapePort = scrapePort;
  }

  static async start(program: CollectorProgram, protocol: Protocol): Promise<Target> {
    const ports = (await freePorts(2)) as [number, number];
    const process = await CollectorProcess.start(program, configuration(program, protocol, ports));
    return new Target(process, protocol, ports);
  }

  get name(): CollectorProgram['name'] {
    return this.#process.name;
  }

  get peakMebibytes(): number {
    return peakMebibytes(this.#process.pid);
  }

  /** Returns the CPU time per data point, in microseconds. */
  async load(shape: LoadShape, durationMs: number): Promise<number> {
    const where = { protocol: this.#protocol, port: this.#otlpPort };
    const order: LoadOrder = { ...where, shape, durationMs, firstPass: this.#lastPass + 1 };
    const before = cpuMicroseconds(this.#process.pid);
    const report = (await runProgram(GENERATOR, order)) as LoadReport;
    this.#lastPass = report.lastPass;
    return (cpuMicroseconds(this.#process.pid) - before) / report.points;
  }

  /** Sends requests at a steady rate and returns their response times in milliseconds. They do not change any value. */
  async waits(shape: LoadShape, durationMs: number): Promise<number[]> {
    const order: ProbeOrder = { port: this.#otlpPort, shape, durationMs, pass: this.#lastPass };
    return (await runProgram(WAIT_PROBE, order)) as number[];
  }

  scrape(encoding: Encoding): Promise<Scrape> {
    return scrape(this.#scrapePort, encoding);
  }

  /** @throws unless a scrape shows the values of the last pass. */
  async verify(shape: LoadShape): Promise<void> {
    const { text } = await this.scrape('identity');
    verifyPage(text(), shape, this.#lastPass);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}

/**
 * The same for every program, except that siphon limits the number of series and needs a higher limit.
 * Their internal metrics are off, because the bench does not compare them.
 */
function configuration(program: CollectorProgram, protocol: Protocol, [otlpPort, scrapePort]: Ports): unknown {
  const bound = program.name === 'siphon' ? { max_series: MAX_SERIES } : {};
  return {
    receivers: { otlp: { protocols: { [protocol]: { endpoint: `127.0.0.1:${otlpPort}` } } } },
    exporters: { prometheus: { endpoint: `127.0.0.1:${scrapePort}`, ...bound } },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: { metrics: { receivers: ['otlp'], exporters: ['prometheus'] } },
    },
  };
}
