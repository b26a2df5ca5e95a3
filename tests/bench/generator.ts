/**
 * The load, in a process of its own so that its CPU time is not the target's:
 * `node generator.ts '{"port":…,"shape":…,"durationMs":…,"firstPass":…}'` prints a `LoadReport`.
 */
import { Connection } from './connection.ts';
import type { LoadShape } from './load-shape.ts';
import { payloads, type Payload } from './payload.ts';

export interface LoadOrder {
  readonly port: number;
  readonly shape: LoadShape;
  readonly durationMs: number;
  readonly firstPass: number;
}

export interface LoadReport {
  /** Every one of them was accepted. */
  readonly points: number;
  readonly durationMs: number;
  /** The pass that every series was last sent in. */
  readonly lastPass: number;
}

const CONNECTIONS = 4;

if (import.meta.main) {
  const report = await generate(JSON.parse(process.argv[2] ?? '') as LoadOrder);
  process.stdout.write(JSON.stringify(report));
}

async function generate({ port, shape, durationMs, firstPass }: LoadOrder): Promise<LoadReport> {
  const requests = payloads(shape);
  const count = Math.min(CONNECTIONS, requests.length);
  const connections = await Promise.all(Array.from({ length: count }, () => Connection.open(port)));
  const shares = connections.map((_, c) => requests.filter((_payload, i) => i % count === c));
  const startedAt = performance.now();
  let sent = 0;
  const send = async (connection: Connection, payload: Payload, pass: number): Promise<void> => {
    payload.stamp(pass);
    await connection.post(headOf(port, payload), payload.body);
    sent++;
  };
  const passes = await Promise.all(
    connections.map(async (connection, c) => {
      let pass = firstPass;
      for (; performance.now() - startedAt < durationMs; pass++) {
        for (const payload of shares[c] ?? []) await send(connection, payload, pass);
      }
      return pass;
    }),
  );
  const lastPass = Math.max(...passes);
  await Promise.all(
    connections.map(async (connection, c) => {
      for (const payload of shares[c] ?? []) await send(connection, payload, lastPass);
    }),
  );
  const report = { points: sent * shape.pointsPerRequest, durationMs: performance.now() - startedAt, lastPass };
  for (const connection of connections) connection.close();
  return report;
}

export function headOf(port: number, { body }: Payload): Buffer {
  return Buffer.from(
    `POST /v1/metrics HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/x-protobuf\r\n` +
      `Content-Length: ${body.length}\r\n\r\n`,
  );
}
