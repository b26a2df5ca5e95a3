import { expect, it } from 'vitest';
import type { TelemetryBatch } from '../../../engine/component.ts';
import { atOnce } from '../../../engine/time-slice.ts';
import { inspectRequest } from '../../../engine/otlp/inspect-request.ts';
import { readSpans } from '../../../engine/otlp/span-reader.ts';
import { splitBatch } from './split-batch.ts';
import { gaugeBatch, spansBatch } from '../../../../tests/support/components/batches.ts';

it('leaves a batch that fits as it is', () => {
  const batch = spansBatch(['a', 'b']);
  expect(split(batch, 2)).toEqual([batch]);
  expect(split(batch, 0)[0]).toBe(batch);
});

it('cuts between chunks where that is enough, without copying', () => {
  const [one, two] = [spansBatch(['a', 'b']), spansBatch(['c'])];
  const batch = { ...one, chunks: [...one.chunks, ...two.chunks], itemCount: 3 };
  expect(split(batch, 2).map(({ chunks }) => chunks[0])).toEqual([one.chunks[0], two.chunks[0]]);
  expect(split(batch, 2)[0]?.chunks[0]).toBe(one.chunks[0]);
});

it('cuts inside a scope and keeps every span once, in order, under its scope', () => {
  const names = Array.from({ length: 10 }, (_, i) => `s${i}`);
  const parts = split(spansBatch(names), 4);
  expect(parts.map(({ itemCount }) => itemCount)).toEqual([4, 4, 2]);
  expect(spanNames(parts)).toEqual(names);
});

it('cuts inside a metric between its points', () => {
  const parts = split(gaugeBatch([1, 2, 3, 4, 5]), 2);
  expect(parts.map(({ chunks }) => inspectRequest('metrics', chunks[0] as Uint8Array))).toEqual([2, 2, 1]);
});

it('fills every batch but the last, also across chunks', () => {
  const sizes = [1, 3, 2, 5, 1];
  const parts = sizes.map((size, chunk) => spansBatch(Array.from({ length: size }, (_, i) => `${chunk}.${i}`)));
  const batch = { ...spansBatch([]), chunks: parts.flatMap(({ chunks }) => chunks), itemCount: 12 };
  const cut = split(batch, 5);
  expect(cut.map(({ itemCount }) => itemCount)).toEqual([5, 5, 2]);
  expect(spanNames(cut)).toEqual(spanNames([batch]));
});

function split(batch: TelemetryBatch, maxItems: number): readonly TelemetryBatch[] {
  return atOnce(splitBatch(batch, maxItems));
}

function spanNames(batches: readonly TelemetryBatch[]): string[] {
  return batches.flatMap(({ chunks }) => chunks.flatMap((chunk) => [...readSpans(chunk)].map(({ name }) => name)));
}
