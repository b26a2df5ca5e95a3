/** The store continues after a restart of the sidecar. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { batchOfSpans, spanId, TRACE_ID } from '../support/otlp/otlp-spans.ts';
import { siphon } from '../support/processes/run-built-command.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { waitFor } from '../support/wait-for.ts';

it('finds a trace after the sidecar was restarted, and not after it was killed', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'siphon-stored-'));
  const start = async (): Promise<Sidecar> =>
    await Sidecar.start({
      sets: [
        `extensions.file_storage.directory=${directory}`,
        'service.extensions=[file_storage, health_check, metrics_history, console]',
        'exporters.telemetry_store.storage=file_storage',
      ],
    });
  {
    await using first = await start();
    await send(first, TRACE_ID);
    expect(await first.stop()).toBe(0);
  }
  const lost = 'f'.repeat(32);
  {
    await using second = await start();
    await waitFor(async () => await shows(second, TRACE_ID), { what: 'the trace from before the restart' });
    await send(second, lost);
    second.process.kill('SIGKILL');
  }
  await using third = await start();
  await waitFor(async () => await shows(third, TRACE_ID), { what: 'the trace that was saved' });
  expect(await shows(third, lost)).toBe(false);
});

async function shows(sidecar: Sidecar, traceId: string): Promise<boolean> {
  const url = sidecar.url({ id: 'telemetry_store' });
  return (await siphon(['trace', traceId, '--url', url])).exitCode === 0;
}

async function send(sidecar: Sidecar, traceId: string): Promise<void> {
  const { chunks } = batchOfSpans([{ traceId, spanId: spanId(1), name: 'GET /orders' }]);
  const headers = { 'content-type': 'application/x-protobuf' };
  const answer = await fetch(`${sidecar.otlpHttp}/v1/traces`, { method: 'POST', headers, body: Buffer.concat(chunks) });
  expect(answer.status).toBe(200);
  await waitFor(async () => await shows(sidecar, traceId), { what: `trace ${traceId}` });
}
