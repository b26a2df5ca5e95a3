import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { otlpReceiverConfig } from '../../../../src/components/receivers/otlp/config.ts';
import { otlpReceiver } from '../../../../src/components/receivers/otlp/factory.ts';
import { Collector } from '../../../../src/engine/pipeline/collector.ts';
import { spansBatch } from '../../../support/components/batches.ts';
import { collectorConfig } from '../../../support/components/collector-config.ts';
import { logLines } from '../../../support/components/log-lines.ts';
import { ManualReceiver } from '../../../support/components/manual-receiver.ts';
import { SinkExporter, sinkFactory } from '../../../support/components/sink-exporter.ts';
import { GrpcCaller } from './grpc-caller.ts';

const spans = spansBatch(['a', 'b']).chunks[0] as Uint8Array;

interface Variant {
  readonly http?: Record<string, unknown>;
  readonly grpc?: Record<string, unknown>;
  /** Adds a receiver that cannot start. */
  readonly isBroken?: boolean;
}

async function startSidecar() {
  const { logger, lines } = logLines();
  const sink = new SinkExporter();
  const variant = ({ http, grpc, isBroken = false }: Variant = {}) => {
    const endpoint = '127.0.0.1:0';
    const protocols = { http: { endpoint, ...http }, grpc: { endpoint, ...grpc } };
    const broken = new ManualReceiver(undefined, new Error('no'));
    return collectorConfig({
      factories: { otlp: otlpReceiver, sink: sinkFactory(sink), ...(isBroken && { broken: broken.factory }) },
      configs: { otlp: v.parse(otlpReceiverConfig, { protocols }) },
      written: { otlp: { protocols } },
      pipelines: { traces: { receivers: isBroken ? ['otlp', 'broken'] : ['otlp'] } },
    });
  };
  const collector = new Collector(variant(), { version: '0', logger, drainTimeoutMs: 2000 });
  await collector.start();
  return {
    sink,
    endpoint: (transport: string) =>
      String(lines.findLast((line) => line['msg'] === 'Listening' && line['transport'] === transport)?.['endpoint']),
    reload: async (next: Variant) => await collector.reload(() => Promise.resolve(variant(next))),
    [Symbol.asyncDispose]: async () => await collector.shutdown(AbortSignal.timeout(2000)),
  };
}

/** A client with one connection. */
class OneConnection implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #endpoint: string;
  readonly ports = new Set<number | undefined>();

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  async post(): Promise<number | undefined> {
    const headers = { 'content-type': 'application/x-protobuf' };
    const sent = request(`http://${this.#endpoint}/v1/traces`, { method: 'POST', agent: this.#agent, headers });
    sent.end(spans);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    this.ports.add(response.socket.localPort);
    response.resume();
    await once(response, 'end');
    return response.statusCode;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

describe('a reload that changes the receiver', () => {
  it('keeps its ports and connections, and the new settings apply', async () => {
    await using sidecar = await startSidecar();
    using http = new OneConnection(sidecar.endpoint('http'));
    using grpc = new GrpcCaller(sidecar.endpoint('grpc'));
    expect([await http.post(), (await grpc.call(spans)).status]).toEqual([200, 0]);
    await sidecar.reload({ http: { traces_url_path: '/elsewhere' }, grpc: { include_metadata: true } });
    expect([await http.post(), (await grpc.call(spans)).status]).toEqual([404, 0]);
    await sidecar.reload({ http: { max_request_body_size: 1000 } });
    expect([await http.post(), (await grpc.call(spans)).status]).toEqual([200, 0]);
    expect(http.ports.size).toBe(1);
    expect(grpc.session.closed).toBe(false);
    expect(sidecar.sink.items).toBe(10);
  });

  it('answers requests that come while no receiver runs', async () => {
    await using sidecar = await startSidecar();
    using http = new OneConnection(sidecar.endpoint('http'));
    using grpc = new GrpcCaller(sidecar.endpoint('grpc'));
    await Promise.all([http.post(), grpc.call(spans)]);
    const statuses: unknown[] = [];
    for (let round = 0; round < 20; round++) {
      const reloading = sidecar.reload({ http: { max_request_body_size: 1000 + round } });
      const answers = await Promise.all([http.post(), grpc.call(spans), reloading]);
      statuses.push(answers[0], answers[1].status);
    }
    expect(new Set(statuses)).toEqual(new Set([200, 0]));
    expect(sidecar.sink.items).toBe(21 * 4);
    expect(http.ports.size).toBe(1);
  });

  it('opens the same address again if the settings of the server change', async () => {
    await using sidecar = await startSidecar();
    const [http, grpc] = [sidecar.endpoint('http'), sidecar.endpoint('grpc')];
    await sidecar.reload({
      http: { endpoint: http, idle_timeout: '5s' },
      grpc: { endpoint: grpc, max_concurrent_streams: 7 },
    });
    expect([sidecar.endpoint('http'), sidecar.endpoint('grpc')]).toEqual([http, grpc]);
    using client = new OneConnection(http);
    using caller = new GrpcCaller(grpc);
    expect([await client.post(), (await caller.call(spans)).status]).toEqual([200, 0]);
    // The two protocols exchange their ports.
    await sidecar.reload({ http: { endpoint: grpc }, grpc: { endpoint: http } });
    using swapped = new OneConnection(grpc);
    using swappedCaller = new GrpcCaller(http);
    expect([await swapped.post(), (await swappedCaller.call(spans)).status]).toEqual([200, 0]);
  });

  it('keeps ports and connections if it fails', async () => {
    await using sidecar = await startSidecar();
    using http = new OneConnection(sidecar.endpoint('http'));
    using grpc = new GrpcCaller(sidecar.endpoint('grpc'));
    expect([await http.post(), (await grpc.call(spans)).status]).toEqual([200, 0]);
    await sidecar.reload({ http: { max_request_body_size: 10 }, isBroken: true });
    expect([await http.post(), (await grpc.call(spans)).status]).toEqual([200, 0]);
    expect(http.ports.size).toBe(1);
    expect(grpc.session.closed).toBe(false);
  });
});
