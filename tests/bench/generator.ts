/**
 * Generates the load in a separate process, which keeps its CPU time out of the target's:
 * `node generator.ts '{"protocol":…,"port":…,"shape":…,"durationMs":…,"firstPass":…}'` prints a `LoadReport`.
 */
import { Connection } from './connection.ts';
import { GrpcConnection } from './grpc-connection.ts';
import type { LoadShape } from './load-shape.ts';
import { payloads, type Payload } from './payload.ts';

export type Protocol = 'http' | 'grpc';

export interface LoadOrder {
  readonly protocol: Protocol;
  readonly port: number;
  readonly shape: LoadShape;
  readonly durationMs: number;
  readonly firstPass: number;
}

export interface LoadReport {
  /** The number of accepted points. */
  readonly points: number;
  readonly durationMs: number;
  /** The last pass, which sent every series. */
  readonly lastPass: number;
}

const CONNECTIONS = 4;

if (import.meta.main) {
  const report = await generate(JSON.parse(process.argv[2] ?? '') as LoadOrder);
  process.stdout.write(JSON.stringify(report));
}

async function generate({ protocol, port, shape, durationMs, firstPass }: LoadOrder): Promise<LoadReport> {
  const requests = payloads(shape);
  const count = Math.min(CONNECTIONS, requests.length);
  const senders = await Promise.all(Array.from({ length: count }, () => openSender(protocol, port)));
  const shares = senders.map((_, c) => requests.filter((_payload, i) => i % count === c));
  const startedAt = performance.now();
  let sent = 0;
  const send = async (sender: Sender, payload: Payload, pass: number): Promise<void> => {
    payload.stamp(pass);
    await sender.send(payload);
    sent++;
  };
  const passes = await Promise.all(
    senders.map(async (sender, c) => {
      let pass = firstPass;
      for (; performance.now() - startedAt < durationMs; pass++) {
        for (const payload of shares[c] ?? []) await send(sender, payload, pass);
      }
      return pass;
    }),
  );
  const lastPass = Math.max(...passes);
  await Promise.all(
    senders.map(async (sender, c) => {
      for (const payload of shares[c] ?? []) await send(sender, payload, lastPass);
    }),
  );
  const report = { points: sent * shape.pointsPerRequest, durationMs: performance.now() - startedAt, lastPass };
  for (const sender of senders) sender.close();
  return report;
}

interface Sender {
  send(payload: Payload): Promise<void>;
  close(): void;
}

async function openSender(protocol: Protocol, port: number): Promise<Sender> {
  if (protocol === 'grpc') {
    const connection = await GrpcConnection.open(port);
    return { send: ({ body }) => connection.post(body), close: () => connection.close() };
  }
  const connection = await Connection.open(port);
  return { send: (payload) => connection.post(headOf(port, payload), payload.body), close: () => connection.close() };
}

export function headOf(port: number, { body }: Payload): Buffer {
  return Buffer.from(
    `POST /v1/metrics HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/x-protobuf\r\n` +
      `Content-Length: ${body.length}\r\n\r\n`,
  );
}
