import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { spansBatch } from '../support/components/batches.ts';
import { Sidecar } from '../support/processes/sidecar.ts';

it('answers on all ports with 64 file descriptors and 200 idle connections', async () => {
  await using sidecar = await Sidecar.start({ before: 'ulimit -n 64' });
  const { port } = new URL(sidecar.otlpHttp);
  const idle = Array.from({ length: 200 }, () => connect(Number(port), '127.0.0.1').on('error', () => undefined));
  try {
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const headers = { 'content-type': 'application/x-protobuf' };
    const body = spansBatch(['a']).chunks[0] as Uint8Array<ArrayBuffer>;
    expect((await fetch(`${sidecar.otlpHttp}/v1/traces`, { method: 'POST', headers, body })).status).toBe(200);
    expect((await fetch(sidecar.url({ id: 'health_check' }))).status).toBe(200);
    expect(await sidecar.selfMetrics()).toContain('otelcol_process_uptime');
    await sidecar.scrape();
    expect(sidecar.logs.filter(({ level }) => level >= 50)).toEqual([]);
  } finally {
    for (const socket of idle) socket.destroy();
  }
});
