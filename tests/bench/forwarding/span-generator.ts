/**
 * Generates the load in a separate process, which keeps its CPU time out of the target's:
 * `node span-generator.ts '{"port":…,"durationMs":…}'` prints the number of accepted spans.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '../connection.ts';
import { spanRequest, SPANS_PER_REQUEST } from './span-payload.ts';

export interface SpanOrder {
  readonly port: number;
  readonly durationMs: number;
  /** Unlimited if absent. */
  readonly requestsPerSecond?: number | undefined;
}

const CONNECTIONS = 4;

if (import.meta.main) process.stdout.write(String(await generate(JSON.parse(process.argv[2] ?? '') as SpanOrder)));

async function generate({ port, durationMs, requestsPerSecond = Infinity }: SpanOrder): Promise<number> {
  const body = spanRequest();
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
      for (; performance.now() < end; requests++) {
        const dueMs = startedAt + (requests * 1000) / requestsPerSecond - performance.now();
        if (dueMs > 0) await sleep(dueMs);
        await connection.post(head, body);
      }
      connection.close();
    }),
  );
  return requests * SPANS_PER_REQUEST;
}
