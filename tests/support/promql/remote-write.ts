import * as snappy from 'snappyjs';
import { WireWriter } from '../../../src/engine/otlp/wire-writer.ts';
import type { World } from './world.ts';

const STALE_BITS = 0x7f_f0_00_00_00_00_00_02n;
/** Prometheus takes samples of half a block's time in one request. */
const REQUEST_MS = 60_000;

/** Writes all samples into a Prometheus with the feature `remote-write-receiver`. */
export async function writeWorld(url: string, world: World): Promise<void> {
  for (let fromMs = world.startMs; fromMs <= world.endMs; fromMs += REQUEST_MS) {
    const body = requestOf(world, fromMs, fromMs + REQUEST_MS);
    const answer = await fetch(`${url}/api/v1/write`, {
      method: 'POST',
      headers: { 'content-encoding': 'snappy', 'content-type': 'application/x-protobuf' },
      body: Buffer.from(snappy.compress(body)),
    });
    if (!answer.ok) throw new Error(`Prometheus does not take the samples: ${await answer.text()}`);
  }
}

function requestOf({ series }: World, fromMs: number, toMs: number): Uint8Array {
  const writer = new WireWriter();
  for (const { labels, samples } of series) {
    const within = samples.filter(({ timeMs }) => timeMs >= fromMs && timeMs < toMs);
    if (within.length === 0) continue;
    writer.messageField(1, () => {
      for (const [name, value] of Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
        writer.messageField(1, () => {
          writer.stringField(1, name);
          writer.stringField(2, value);
        });
      }
      for (const { timeMs, value } of within) {
        writer.messageField(2, () => {
          if (value === undefined) writer.fixed64Field(1, STALE_BITS);
          else writer.doubleField(1, value);
          writer.int64Field(2, BigInt(timeMs));
        });
      }
    });
  }
  return writer.finish();
}
