import { expect, it } from 'vitest';
import { itemSummaries } from './item-summaries.ts';
import { messageToObject } from './message-to-object.ts';
import { gaugeBatch, spansBatch } from '../../../../tests/support/components/batches.ts';

it('shows the names of spans', () => {
  const [chunk] = spansBatch(['a', 'b']).chunks;
  expect(itemSummaries(messageToObject('ExportTraceServiceRequest', chunk as Uint8Array))).toEqual(['a', 'b']);
});

it('shows points with their values', () => {
  const [chunk] = gaugeBatch([1.5, Number.NaN]).chunks;
  const text = JSON.stringify(messageToObject('ExportMetricsServiceRequest', chunk as Uint8Array));
  expect(text).toContain('"data_points":[{"as_double":1.5},{"as_double":"NaN"}]');
});
