/**
 * Requests at a steady, modest rate, in a process of its own so that nothing else keeps it from looking at the clock:
 * `node wait-probe.ts '{"port":…,"shape":…,"durationMs":…,"pass":…}'` prints how long each waited for its answer.
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
  /** The pass that every series was last sent in; it is sent again. */
  readonly pass: number;
}

const INTERVAL_MS = 20;
/** As many different requests as are sent in a second. */
const REQUESTS = 50;

if (import.meta.main)
  process.stdout.write(JSON.stringify(await probe(JSON.parse(process.argv[2] ?? '') as ProbeOrder)));

/** A request that is due is sent, however long the ones before it wait: each on a connection that is free. */
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
