import { freePorts } from '../../support/network/free-ports.ts';
import { CollectorProcess, type CollectorProgram } from '../../support/processes/collector-process.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { CaseResult } from '../measure-case.ts';
import { median } from '../median.ts';
import { cpuMicroseconds, peakMebibytes } from '../process-usage.ts';
import { runProgram } from '../run-program.ts';
import { SPAN_GENERATOR } from './measure-forwarding.ts';
import type { SpanOrder } from './span-generator.ts';

const WARM_UP_MS = 3000;
const LOAD_MS = 4000;
const FLUSH_MS = 1000;

/** Lets all programs count the spans that they receive. They take turns. A program that counts a wrong number fails the bench. */
export async function measureCounting(programs: readonly CollectorProgram[], rounds: number): Promise<CaseResult> {
  await using stack = new AsyncDisposableStack();
  const runs: { counter: Counter; span: number[] }[] = [];
  for (const program of programs) {
    const counter = stack.use(await Counter.start(program));
    await counter.load(WARM_UP_MS);
    runs.push({ counter, span: [] });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { counter, span } of runs) span.push(await counter.load(LOAD_MS));
  }
  return Object.fromEntries(
    runs.map(({ counter, span }) => [counter.name, { span: median(span), peak: counter.peakMebibytes }]),
  );
}

/** A collector that counts spans: OTLP over HTTP in, a scrape page with their counts and durations out. */
class Counter implements AsyncDisposable {
  readonly #process: CollectorProcess;
  readonly #ports: { readonly otlp: number; readonly page: number };
  #sent = 0;

  private constructor(process: CollectorProcess, ports: { readonly otlp: number; readonly page: number }) {
    this.#process = process;
    this.#ports = ports;
  }

  static async start(program: CollectorProgram): Promise<Counter> {
    const [otlp = 0, page = 0] = await freePorts(2);
    return new Counter(await CollectorProcess.start(program, configuration({ otlp, page })), { otlp, page });
  }

  get name(): CollectorProgram['name'] {
    return this.#process.name;
  }

  get peakMebibytes(): number {
    return peakMebibytes(this.#process.pid);
  }

  /** Returns the CPU time per span, in microseconds, after all spans are on the page. */
  async load(durationMs: number): Promise<number> {
    const order: SpanOrder = { port: this.#ports.otlp, durationMs };
    const before = cpuMicroseconds(this.#process.pid);
    const spans = (await runProgram(SPAN_GENERATOR, order)) as number;
    this.#sent += spans;
    await waitFor(async () => (await this.#counted()) === this.#sent, {
      what: `${this.#sent} counted spans`,
      timeoutMs: 10 * FLUSH_MS,
    });
    return (cpuMicroseconds(this.#process.pid) - before) / spans;
  }

  async #counted(): Promise<number> {
    const page = await (await fetch(`http://127.0.0.1:${this.#ports.page}/metrics`)).text();
    const lines = page.matchAll(/^traces_span_metrics_calls_total\{.*\} (\S+)$/gm);
    return [...lines].reduce((sum, [, value]) => sum + Number(value), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}

function configuration(ports: { readonly otlp: number; readonly page: number }): unknown {
  return {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${ports.otlp}` } } } },
    connectors: {
      span_metrics: {
        metrics_flush_interval: `${FLUSH_MS}ms`,
        dimensions: [{ name: 'http.request.method' }, { name: 'http.route' }],
      },
    },
    exporters: { prometheus: { endpoint: `127.0.0.1:${ports.page}` } },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: {
        traces: { receivers: ['otlp'], exporters: ['span_metrics'] },
        metrics: { receivers: ['span_metrics'], exporters: ['prometheus'] },
      },
    },
  };
}
