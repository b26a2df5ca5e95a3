import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { waitFor } from '../../../support/wait-for.ts';
import { ExporterUnderTest, gauge } from '../../../../src/components/exporters/prometheus/exporter-under-test.ts';

/** More than the buffers of a socket hold. */
const SERIES = 40_000;
/** More than the four that may read a page. */
const READERS = 6;
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

async function withLargePage(): Promise<ExporterUnderTest> {
  const exporter = await ExporterUnderTest.start();
  const label = 'x'.repeat(200);
  await exporter.consume(Array.from({ length: SERIES }, (_, i) => gauge('g', i, { labels: { a: `${label}${i}` } })));
  return exporter;
}

/** Resolves when the first bytes of the page have arrived. Does not read more of it. */
async function readALittle(exporter: ExporterUnderTest): Promise<Socket> {
  const [host = '', port] = exporter.endpoint.split(':');
  const socket = connect(Number(port), host).on('error', () => undefined);
  sockets.push(socket);
  socket.write('GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(socket, 'readable');
  return socket;
}

const status = async (exporter: ExporterUnderTest): Promise<number> => {
  const answer = await exporter.scrape();
  await answer.arrayBuffer();
  return answer.status;
};

it('readers that read nothing hold four pages at most, and do not keep others out', async () => {
  await using exporter = await withLargePage();
  const stalled: Socket[] = [];
  for (let i = 0; i < READERS; i++) {
    stalled.push(await readALittle(exporter));
    expect(await status(exporter)).toBe(200);
  }
  await sleep(1200);
  expect(await status(exporter)).toBe(200);
  // The oldest is cut off first; what the system has buffered for it ends before the page does.
  for (const socket of stalled) socket.resume();
  await waitFor(() => stalled[0]?.closed === true, { what: 'the oldest reader to be cut off' });
  expect(stalled[0]?.bytesRead).toBeLessThan(SERIES * 200);
  expect(await status(exporter)).toBe(200);
});

it('readers that leave in the middle of a page leave nothing behind', async () => {
  await using exporter = await withLargePage();
  for (let i = 0; i < READERS; i++) {
    const socket = await readALittle(exporter);
    socket.resetAndDestroy();
    await once(socket, 'close');
    await waitFor(async () => (await status(exporter)) === 200, { timeoutMs: 5000, what: 'a page after one left' });
  }
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < READERS; i++) {
    (await readALittle(exporter)).resetAndDestroy();
    await waitFor(async () => (await status(exporter)) === 200, { timeoutMs: 5000, what: 'a page after one left' });
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(SERIES * 250 * 2);
});
