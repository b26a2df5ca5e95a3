/**
 * Sends requests at a steady, low rate from a separate process, because other work would distort its timing:
 * `node wait-probe.ts '{"port":…,"shape":…,"durationMs":…,"pass":…}'` prints the response time of each request.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from './connection.ts';
import { headOf } from './generator.ts';
import type { LoadShape } from './load-shape.ts';
import { Payload } from './payload.ts';

export interface ProbeOrder {
  readonly port: number;
  readonly shape: LoadShape;
  readonly durationMs: number;
  /** The last pass, which sent every series. The probe sends its values again. */
  readonly pass: number;
}

const INTERVAL_MS = 20;
/** The number of different requests, equal to one second of requests. */
const REQUESTS = 50;

if (import.meta.main)
  process.stdout.write(JSON.stringify(await probe(JSON.parse(process.argv[2] ?? '') as ProbeOrder)));

/** Sends each request when it is due, even if earlier ones still wait. Each request uses an idle connection. */
async function probe({ port, shape, durationMs, pass }: ProbeOrder): Promise<number[]> {
  const requests = payloads(shape);
  const free: Connection[] = [];
  const waitsMs: number[] = [];
  const send = async (payload: Payload): Promise<void> => {
    const connection = free.pop() ?? (await Connection.open(port));
    const sentAt = performance.now();
    await connection.post(headOf(port, payload), payload.body);
    waitsMs.push(performance.now() - sentAt);
    free.push(connection);
  };
  const startedAt = performance.now();
  const sent: Promise<void>[] = [];
  for (let due = 0; due < durationMs; due += INTERVAL_MS) {
    await sleep(Math.max(0, startedAt + due - performance.now()));
    const payload = requests[sent.length % requests.length] as Payload;
    if (sent.length < requests.length) payload.stamp(pass);
    sent.push(send(payload));
  }
  await Promise.all(sent);
  for (const connection of free) connection.close();
  return waitsMs;
}

function payloads(shape: LoadShape): Payload[] {
  const count = Math.min(REQUESTS, shape.series / shape.pointsPerRequest);
  return Array.from({ length: count }, (_, i) => new Payload(shape, i * shape.pointsPerRequest));
}
