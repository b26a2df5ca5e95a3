import { expect, it } from 'vitest';
import { itemSummaries } from './item-summaries.ts';
import { ContentBudget, messageToObject } from '../../../engine/otlp/message-to-object.ts';
import { gaugeBatch, spansBatch } from '../../../../tests/support/components/batches.ts';

it('shows the names of spans', () => {
  const [chunk] = spansBatch(['a', 'b']).chunks;
  expect(
    itemSummaries(messageToObject('ExportTraceServiceRequest', chunk as Uint8Array, new ContentBudget(10_000))),
  ).toEqual(['a', 'b']);
});

it('shows points with their values', () => {
  const [chunk] = gaugeBatch([1.5, Number.NaN]).chunks;
  const text = JSON.stringify(
    messageToObject('ExportMetricsServiceRequest', chunk as Uint8Array, new ContentBudget(10_000)),
  );
  expect(text).toContain('"data_points":[{"as_double":1.5},{"as_double":"NaN"}]');
});

it('stops when the budget is spent', () => {
  const [chunk] = spansBatch(['first', 'x'.repeat(1000), 'third']).chunks;
  const budget = new ContentBudget(400);
  const object = messageToObject('ExportTraceServiceRequest', chunk as Uint8Array, budget);
  expect(itemSummaries(object)).toEqual(['first', expect.stringMatching(/^x{100,399}$/)]);
  expect(budget.isSpent).toBe(true);
});
