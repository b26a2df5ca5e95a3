import { describe, expect, it } from 'vitest';
import { batchOfSpans, spanId } from '../support/otlp/otlp-spans.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { OtlpCapture } from '../support/otlp/otlp-capture.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { TcpProxy } from '../support/network/tcp-proxy.ts';
import { waitFor } from '../support/wait-for.ts';

const REQUESTS = 15;
const SPANS_A_REQUEST = 20;
const SPANS = REQUESTS * SPANS_A_REQUEST;

/** A sidecar that forwards each request as one batch. */
async function startForwarding(endpoint: string, ...sets: readonly string[]): Promise<Sidecar> {
  return await Sidecar.start({
    sets: [
      `exporters.otlp_http.endpoint=${endpoint}`,
      'service.pipelines.traces={processors: [], exporters: [otlp_http]}',
      ...sets,
    ],
  });
}

/** Sends spans with the ids from 1 on. */
async function sendSpans(sidecar: Sidecar): Promise<void> {
  for (let request = 0; request < REQUESTS; request++) {
    const ids = Array.from({ length: SPANS_A_REQUEST }, (_, index) => spanId(request * SPANS_A_REQUEST + index + 1));
    const body = Buffer.concat(batchOfSpans(ids.map((id) => ({ spanId: id }))).chunks);
    const headers = { 'content-type': 'application/x-protobuf' };
    const { status } = await fetch(`${sidecar.otlpHttp}/v1/traces`, { method: 'POST', headers, body });
    expect(status).toBe(200);
  }
}

function expectEachOnce(capture: OtlpCapture): void {
  const ids = capture.spans().map((span) => Buffer.from(span.span_id, 'hex').readBigUInt64BE());
  expect(ids.map(Number).toSorted((a, b) => a - b)).toEqual(Array.from({ length: SPANS }, (_, index) => index + 1));
}

/** The sum of the samples of one of the sidecar's own metrics that carry this label. */
async function own(sidecar: Sidecar, name: string, label: string): Promise<number | undefined> {
  const lines = (await sidecar.selfMetrics()).split('\n').filter((line) => line.startsWith(`${name}{`));
  const values = lines.filter((line) => line.includes(label)).map((line) => Number(line.split(' ').at(-1)));
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0);
}

const EXPORTER = 'exporter="otlp_http"';

describe('the otlp_http exporter in the sidecar', () => {
  it('queues spans while the next sidecar is down, and delivers each of them once afterwards', async () => {
    await using capture = await OtlpCapture.start();
    const [port] = await freePorts(1);
    const retry = 'exporters.otlp_http.retry_on_failure={initial_interval: 100ms, max_interval: 300ms}';
    await using first = await startForwarding(`http://127.0.0.1:${port}`, retry);
    await sendSpans(first);
    await first.waitForLog('Sending fails, will retry');
    expect(await own(first, 'otelcol_exporter_queue_size', EXPORTER)).toBe(REQUESTS);
    expect(await own(first, 'otelcol_exporter_sent_spans', EXPORTER)).toBe(0);

    await using second = await startForwarding(capture.url, `receivers.otlp.protocols.http.endpoint=127.0.0.1:${port}`);
    await waitFor(() => capture.spans().length >= SPANS, { what: 'every span behind the second sidecar' });
    await waitFor(async () => (await own(first, 'otelcol_exporter_queue_size', EXPORTER)) === 0, { what: 'no queue' });
    expectEachOnce(capture);
    expect(await own(first, 'otelcol_exporter_sent_spans', EXPORTER)).toBe(SPANS);
    expect(await own(first, 'otelcol_exporter_send_failed_spans', EXPORTER)).toBe(0);
    expect(await own(first, 'otelcol_exporter_enqueue_failed_spans', EXPORTER)).toBe(0);
    expect(await own(second, 'otelcol_receiver_accepted_spans', 'transport="http"')).toBe(SPANS);
    expect(first.logs.filter(({ msg }) => msg === 'Sending fails, will retry')).toHaveLength(1);
    await first.waitForLog('Sending works again');
  });

  it('sends at SIGTERM what waits for its next attempt, and exits 0', async () => {
    await using capture = await OtlpCapture.start();
    const [port = 0] = await freePorts(1);
    const patient = 'exporters.otlp_http.retry_on_failure={initial_interval: 60s, max_interval: 60s}';
    await using sidecar = await startForwarding(`http://127.0.0.1:${port}`, patient);
    await sendSpans(sidecar);
    await sidecar.waitForLog('Sending fails, will retry');
    const target = { host: '127.0.0.1', port: Number(new URL(capture.url).port) };
    await using way = await TcpProxy.start(target, port);
    expect(await sidecar.stop()).toBe(0);
    await waitFor(() => way.connectionCount === 0, { what: 'the end of every connection' });
    expectEachOnce(capture);
  });

  it('counts items that a full queue refuses, and asks the sender to retry', async () => {
    const [port] = await freePorts(1);
    const queue = 'exporters.otlp_http.sending_queue={queue_size: 2}';
    await using sidecar = await startForwarding(`http://127.0.0.1:${port}`, queue);
    const body = Buffer.concat(batchOfSpans([{ spanId: spanId(1) }]).chunks);
    const statuses: number[] = [];
    for (let request = 0; request < 4; request++) {
      const headers = { 'content-type': 'application/x-protobuf' };
      statuses.push((await fetch(`${sidecar.otlpHttp}/v1/traces`, { method: 'POST', headers, body })).status);
    }
    expect(statuses).toEqual([200, 200, 503, 503]);
    expect(await own(sidecar, 'otelcol_exporter_enqueue_failed_spans', EXPORTER)).toBe(2);
    expect(await own(sidecar, 'otelcol_receiver_refused_spans', 'transport="http"')).toBe(2);
  });
});
