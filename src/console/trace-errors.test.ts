import { expect, it } from 'vitest';
import { errorOf } from './trace-errors.ts';

function placeIn(...frames: readonly string[]): string | undefined {
  const stacktrace = ['Error: no', ...frames.map((frame) => `    at ${frame}`)].join('\n');
  return errorOf('1', { 'exception.type': 'Error', 'exception.stacktrace': stacktrace })?.place;
}

it('is at the first frame of the application, or else of all', () => {
  const library = '/app/node_modules/pg-pool/index.js:45:11';
  const own = 'listOrders (/app/orders.js:12:3)';
  expect(placeIn(library, 'process.processTicks (node:internal/process/task_queues:104:5)', own)).toBe(`at ${own}`);
  expect(placeIn('Socket.end (node:net:1:2)', library)).toBe('at Socket.end (node:net:1:2)');
  expect(placeIn()).toBe('');
});
