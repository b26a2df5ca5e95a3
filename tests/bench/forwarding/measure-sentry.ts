import { freePorts } from '../../support/network/free-ports.ts';
import { CollectorProcess, type CollectorProgram } from '../../support/processes/collector-process.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { SentryCase } from '../cases.ts';
import type { CaseResult } from '../measure-case.ts';
import { median } from '../median.ts';
import { cpuMicroseconds, peakMebibytes } from '../process-usage.ts';
import { runProgram } from '../run-program.ts';
import type { SpanOrder } from './span-generator.ts';
import { SPAN_GENERATOR } from './measure-forwarding.ts';
import { SPANS_PER_REQUEST } from './span-payload.ts';
import { SpanSink } from './span-sink-process.ts';

const WARM_UP_MS = 3000;
const LOAD_MS = 4000;
const SPANS_PER_SECOND = 8000;
/** On a busy machine, more spans wait than the default allows. */
const TRACE_BUFFER = { max_spans: 100_000, max_size_mib: 256 };

/** CPU per span at a steady rate, in a buffer that holds all spans of the grace period. A lost span fails the bench. */
export async function measureSentry(
  { protocol, spansPerTrace }: SentryCase,
  program: CollectorProgram,
  rounds: number,
): Promise<CaseResult> {
  await using sink = await SpanSink.start();
  const [port = 0] = await freePorts(1);
  await using siphon = await CollectorProcess.start(program, configuration(port, sink.port, protocol));
  const requestsPerSecond = SPANS_PER_SECOND / SPANS_PER_REQUEST;
  let sent = 0;
  const load = async (durationMs: number): Promise<number> => {
    const before = cpuMicroseconds(siphon.pid);
    const order: SpanOrder = {
      port,
      durationMs,
      requestsPerSecond,
      spansPerTrace,
      firstRequest: sent / SPANS_PER_REQUEST,
    };
    const spans = (await runProgram(SPAN_GENERATOR, order)) as number;
    sent += spans;
    await waitFor(async () => (await sink.count()) === sent, { what: `${sent} spans in the sink`, timeoutMs: 30_000 });
    return (cpuMicroseconds(siphon.pid) - before) / spans;
  };
  await load(WARM_UP_MS);
  const measured: number[] = [];
  for (let round = 0; round < rounds; round++) measured.push(await load(LOAD_MS));
  return { siphon: { span: median(measured), peak: peakMebibytes(siphon.pid) } };
}

function configuration(port: number, sinkPort: number, protocol: SentryCase['protocol']): unknown {
  return {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}` } } } },
    exporters: { sentry: { dsn: `http://key@127.0.0.1:${sinkPort}/1`, protocol, trace_buffer: TRACE_BUFFER } },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: { traces: { receivers: ['otlp'], exporters: ['sentry'] } },
    },
  };
}
