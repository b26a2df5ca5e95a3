import { once } from 'node:events';
import { createServer, Agent, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BackgroundDelivery } from './background-delivery.ts';
import { UnreachedEndpoints } from './unreached-endpoints.ts';

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** Creates a delivery to a server with these responses; the last one repeats. */
async function deliveryTo(...answers: RequestListener[]) {
  return await deliveryWith({ parallel: 1 }, ...answers);
}

async function deliveryWith(
  { parallel, reportAfterMs }: { readonly parallel: number; readonly reportAfterMs?: number },
  ...answers: RequestListener[]
): Promise<{ delivery: BackgroundDelivery; bodies: string[]; port: number }> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    void request.toArray().then((chunks) => {
      bodies.push(Buffer.concat(chunks).toString());
      return answers[Math.min(bodies.length, answers.length) - 1]?.(request, response);
    });
  });
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const destination = {
    url: `http://user:secret@127.0.0.1:${port}/v1/traces?secret`,
    timeoutMillis: 5000,
    concurrencyLimit: 30,
    compression: CompressionAlgorithm.NONE,
    headers: () => Promise.resolve({}),
    agentFactory: () => new Agent({ keepAlive: true }),
  };
  return {
    delivery: new BackgroundDelivery(destination, {
      signal: 'traces',
      parallel,
      unreached: new UnreachedEndpoints(reportAfterMs),
    }),
    bodies,
    port,
  };
}

const taken: RequestListener = (_, response) => response.end();
const hangs: RequestListener = () => undefined;
const status =
  (code: number, headers = {}): RequestListener =>
  (_, response) =>
    response.writeHead(code, headers).end();
const body = (text: string): Uint8Array => Buffer.from(text);
const textOf = ({ body: sent }: { readonly body: Uint8Array }): string => Buffer.from(sent).toString();

describe('the delivery in the background', () => {
  it('tries a refused request again before the next one, so that none overtakes', async () => {
    const { delivery, bodies } = await deliveryTo(status(503, { 'retry-after': '1' }), taken);
    delivery.enqueue(body('a'));
    delivery.enqueue(body('b'));
    await expect.poll(() => bodies, { timeout: 5000 }).toEqual(['a', 'a', 'b']);
  });

  it('does not retry a request that the endpoint calls wrong', async () => {
    const { delivery, bodies } = await deliveryTo(status(400), taken);
    delivery.enqueue(body('a'));
    delivery.enqueue(body('b'));
    await delivery.flush();
    expect(bodies).toEqual(['a', 'b']);
  });

  it('cuts the wait for a retry short when it is flushed', async () => {
    const { delivery, bodies } = await deliveryTo(status(503, { 'retry-after': '4' }), taken);
    delivery.enqueue(body('a'));
    await expect.poll(() => bodies).toEqual(['a']);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const startedAtMs = performance.now();
    await delivery.flush();
    expect(bodies).toEqual(['a', 'a']);
    expect(performance.now() - startedAtMs).toBeLessThan(1000);
  });

  it('reports one line without a secret when nothing is delivered for long, and again after a delivery', async () => {
    const lines: string[] = [];
    const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
    try {
      const { delivery, port } = await deliveryWith(
        { parallel: 1, reportAfterMs: 0 },
        status(404),
        status(404),
        status(404),
        taken,
        status(404),
      );
      for (const name of ['a', 'b', 'c', 'd', 'e']) {
        delivery.enqueue(body(name));
        await delivery.flush();
      }
      const line = `siphon-otel/preload: no telemetry reaches http://127.0.0.1:${port}/v1/traces; the first attempt failed 0 s ago: the OTLP endpoint answered 404\n`;
      expect(lines).toEqual([line, line]);
    } finally {
      write.mockRestore();
    }
  });

  it('suggests the port for HTTP when a server of gRPC answers', async () => {
    const lines: string[] = [];
    const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
    try {
      const { delivery } = await deliveryWith({ parallel: 1, reportAfterMs: 0 }, (request) =>
        request.socket.end(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])),
      );
      delivery.enqueue(body('a'));
      await delivery.flush();
      expect(lines.join('')).toMatch(/Parse Error.*\. The port may be the one for OTLP over gRPC/);
    } finally {
      write.mockRestore();
    }
  });

  it('posts as many at the same time as it may, and flushes them all', async () => {
    const release = Promise.withResolvers<void>();
    const { delivery, bodies } = await deliveryWith({ parallel: 2 }, (_, response) => {
      void release.promise.then(() => response.end());
    });
    for (const name of ['a', 'b', 'c']) delivery.enqueue(body(name));
    await expect.poll(() => bodies.toSorted()).toEqual(['a', 'b']);
    const { unsent, unanswered } = delivery.pending();
    expect(unsent.map(textOf)).toEqual(['c']);
    expect(unanswered.map(textOf).toSorted(), 'the server has a and b').toEqual(['a', 'b']);
    expect(unanswered[0]?.waitedMs).toBeLessThan(5000);
    release.resolve();
    await delivery.flush();
    expect(bodies).toHaveLength(3);
    expect(delivery.pending()).toEqual({ unsent: [], unanswered: [] });
  });

  it('keeps what a flush could not deliver, without a wait, and knows that nothing listens', async () => {
    const { delivery, bodies } = await deliveryTo(status(503, { 'retry-after': '4' }));
    delivery.enqueue(body('a'));
    delivery.enqueue(body('b'));
    await delivery.flush();
    const unsent = () => delivery.pending().unsent.map((request) => [textOf(request), request.isRefused]);
    expect(bodies, 'b waits behind a').not.toContain('b');
    expect(unsent()).toEqual([
      ['a', false],
      ['b', false],
    ]);
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    await delivery.flush();
    await delivery.flush();
    expect(unsent()).toEqual([
      ['a', true],
      ['b', true],
    ]);
  });

  it('refuses more than sixteen while the endpoint hangs', async () => {
    const { delivery } = await deliveryTo(hangs);
    const accepted = Array.from({ length: 20 }, () => delivery.enqueue(body('a')));
    expect(accepted.filter(Boolean)).toHaveLength(16);
  });
});
