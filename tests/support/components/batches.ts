import type { Signal, TelemetryBatch } from '../../../src/engine/component.ts';
import { WireWriter } from '../../../src/engine/otlp/wire-writer.ts';

/** A batch of one chunk. */
export function toBatch(signal: Signal, chunk: Uint8Array, itemCount: number): TelemetryBatch {
  return { signal, chunks: [chunk], itemCount, sizeBytes: chunk.length };
}

/** One resource with one scope of spans with these names. */
export function spansBatch(names: readonly string[]): TelemetryBatch {
  const writer = new WireWriter();
  writer.messageField(1, () => {
    writer.messageField(2, () => {
      writer.messageField(1, () => writer.stringField(1, 'scope'));
      for (const name of names) writer.messageField(2, () => writer.stringField(5, name));
    });
    writer.stringField(3, 'schema');
  });
  return toBatch('traces', writer.finish(), names.length);
}

/** One gauge with these points. */
export function gaugeBatch(values: readonly number[]): TelemetryBatch {
  const writer = new WireWriter();
  writer.messageField(1, () =>
    writer.messageField(2, () =>
      writer.messageField(2, () => {
        writer.stringField(1, 'level');
        writer.messageField(5, () => {
          for (const value of values) writer.messageField(1, () => writer.doubleField(4, value));
        });
      }),
    ),
  );
  return toBatch('metrics', writer.finish(), values.length);
}
