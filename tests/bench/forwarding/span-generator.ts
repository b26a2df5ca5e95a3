/**
 * Generates the load in a separate process, which keeps its CPU time out of the target's:
 * `node span-generator.ts '{"port":…,"durationMs":…}'` prints the number of accepted spans.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../connection.ts';
import { spanRequest, SPANS_PER_REQUEST, traceIdOffsets } from './span-payload.ts';

export interface SpanOrder {
  readonly port: number;
  readonly durationMs: number;
  /** Unlimited if absent. */
  readonly requestsPerSecond?: number | undefined;
  /** The number of requests of earlier orders, whose traces must not come again. */
  readonly firstRequest?: number | undefined;
  /** If given, each request has traces of its own of this size. Otherwise all requests are the same. */
  readonly spansPerTrace?: number | undefined;
}

const CONNECTIONS = 4;

if (import.meta.main) process.stdout.write(String(await generate(JSON.parse(process.argv[2] ?? '') as SpanOrder)));

async function generate({
  port,
  durationMs,
  requestsPerSecond = Infinity,
  spansPerTrace,
  firstRequest = 0,
}: SpanOrder): Promise<number> {
  const body = spanRequest(spansPerTrace);
  const traceIds = spansPerTrace === undefined ? [] : traceIdOffsets(body);
  const head = Buffer.from(
    `POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/x-protobuf\r\n` +
      `Content-Length: ${body.length}\r\n\r\n`,
  );
  const startedAt = performance.now();
  const end = startedAt + durationMs;
  let requests = 0;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const connection = await Connection.open(port);
      const own = Buffer.from(body);
      while (performance.now() < end) {
        const number = requests++;
        const dueMs = startedAt + (number * 1000) / requestsPerSecond - performance.now();
        if (dueMs > 0) await sleep(dueMs);
        for (const offset of traceIds) own.writeUInt32BE(firstRequest + number, offset);
        await connection.post(head, own);
      }
      connection.close();
    }),
  );
  return requests * SPANS_PER_REQUEST;
}
