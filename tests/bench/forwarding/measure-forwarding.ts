import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { CollectorProcess, type CollectorProgram } from '../../support/processes/collector-process.ts';
import { freePorts } from '../../support/network/free-ports.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { ForwardingCase, Result } from '../cases.ts';
import type { CaseResult } from '../measure-case.ts';
import { median } from '../median.ts';
import { cpuMicroseconds, peakMebibytes } from '../process-usage.ts';
import { runProgram } from '../run-program.ts';
import type { SpanOrder } from './span-generator.ts';
import { SPANS_PER_REQUEST } from './span-payload.ts';
import { SpanSink } from './span-sink-process.ts';

export const SPAN_GENERATOR = fileURLToPath(new URL('span-generator.ts', import.meta.url));
const WARM_UP_MS = 3000;
const LOAD_MS = 4000;

/** Runs a case on all programs, which take turns. A program that loses a span fails the bench. */
export async function measureForwarding(
  { compression, stored = false }: ForwardingCase,
  programs: readonly CollectorProgram[],
  rounds: number,
): Promise<CaseResult> {
  return await measureForwarders({ compression, stored }, programs, rounds);
}

/** The same with any processors. */
export async function measureForwarders(
  sending: Sending,
  programs: readonly CollectorProgram[],
  rounds: number,
): Promise<CaseResult> {
  await using stack = new AsyncDisposableStack();
  const runs: { forwarder: Forwarder; span: number[] }[] = [];
  for (const program of programs) {
    const forwarder = stack.use(await Forwarder.start(program, sending));
    await forwarder.load(WARM_UP_MS);
    runs.push({ forwarder, span: [] });
  }
  for (let round = 0; round < rounds; round++) {
    for (const { forwarder, span } of runs) span.push(await forwarder.load(LOAD_MS));
  }
  const results = runs.map(({ forwarder, span }): [string, Result] => {
    return [forwarder.name, { span: median(span), peak: forwarder.peakMebibytes }];
  });
  return Object.fromEntries(results);
}

/** A collector under load: OTLP/HTTP in, batches out to a sink that counts. */
export class Forwarder implements AsyncDisposable {
  readonly #process: CollectorProcess;
  readonly #sink: SpanSink;
  readonly #port: number;
  readonly #directory: string | undefined;
  readonly #spansPerTrace: number | undefined;
  #sent = 0;

  private constructor(process: CollectorProcess, { sink, port, directory, spansPerTrace }: Surroundings) {
    this.#process = process;
    this.#sink = sink;
    this.#port = port;
    this.#directory = directory;
    this.#spansPerTrace = spansPerTrace;
  }

  static async start(
    program: CollectorProgram,
    { compression, stored, processors = { batch: {} }, spansPerTrace }: Sending,
  ): Promise<Forwarder> {
    const sink = await SpanSink.start();
    const [port = 0] = await freePorts(1);
    const directory = stored ? await mkdtemp(path.join(tmpdir(), 'siphon-bench-queue-')) : undefined;
    const queue = directory === undefined ? {} : { sending_queue: { storage: 'file_storage' } };
    return new Forwarder(
      await CollectorProcess.start(
        program,
        configuration({
          port,
          exporter: { endpoint: `http://127.0.0.1:${sink.port}`, compression, ...queue },
          directory,
          processors,
        }),
      ),
      { sink, port, directory, spansPerTrace },
    );
  }

  get name(): CollectorProgram['name'] {
    return this.#process.name;
  }

  get peakMebibytes(): number {
    return peakMebibytes(this.#process.pid);
  }

  /** Returns the CPU time per span, in microseconds, after the last span has arrived at the sink. */
  async load(durationMs: number, requestsPerSecond?: number): Promise<number> {
    const order: SpanOrder = {
      port: this.#port,
      durationMs,
      requestsPerSecond,
      spansPerTrace: this.#spansPerTrace,
      firstRequest: this.#sent / SPANS_PER_REQUEST,
    };
    const before = cpuMicroseconds(this.#process.pid);
    const spans = (await runProgram(SPAN_GENERATOR, order)) as number;
    this.#sent += spans;
    let arrived = 0;
    await waitFor(async () => (arrived = await this.#sink.count()) >= this.#sent, {
      what: `${this.#sent} spans in the sink`,
      timeoutMs: 60_000,
    }).catch((cause: unknown) => {
      throw new Error(`${this.#sent} spans were sent, and ${arrived} have arrived`, { cause });
    });
    if (arrived > this.#sent) throw new Error(`${arrived} spans have arrived, but only ${this.#sent} were sent`);
    return (cpuMicroseconds(this.#process.pid) - before) / spans;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    await this.#sink[Symbol.asyncDispose]();
    if (this.#directory !== undefined) await rm(this.#directory, { recursive: true });
  }
}

interface Surroundings {
  readonly sink: SpanSink;
  readonly port: number;
  /** The directory of the queue, if it is on disk. */
  readonly directory: string | undefined;
  readonly spansPerTrace: number | undefined;
}

export interface Sending extends Required<Pick<ForwardingCase, 'compression' | 'stored'>> {
  /** By default, the requests are merged before they are sent. */
  readonly processors?: object;
  /** As in `SpanOrder`. */
  readonly spansPerTrace?: number;
}

interface Parts {
  readonly port: number;
  readonly exporter: object;
  readonly directory: string | undefined;
  readonly processors: object;
}

function configuration({ port, exporter, directory, processors }: Parts): unknown {
  const extensions = directory === undefined ? {} : { file_storage: { directory } };
  return {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
    processors,
    exporters: { otlp_http: exporter },
    extensions,
    service: {
      extensions: Object.keys(extensions),
      telemetry: { metrics: { level: 'none' } },
      pipelines: { traces: { receivers: ['otlp'], processors: Object.keys(processors), exporters: ['otlp_http'] } },
    },
  };
}
