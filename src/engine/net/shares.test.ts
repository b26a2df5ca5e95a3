import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { Shares } from './shares.ts';

it('gives no more than the total, apart from the least that each owner gets', () => {
  const shares = new Shares({ total: 16_000, min: 8, max: 1000 });
  const given = Array.from({ length: 200 }, () => shares.give(new EventEmitter()));
  expect(given.slice(0, 8)).toEqual(Array.from({ length: 8 }, () => 1000));
  expect(given.at(-1)).toBe(8);
  expect(given.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(16_000 + 200 * 8);
});

it('gives again the shares of owners that have left', () => {
  const shares = new Shares({ total: 8000, min: 1, max: 8000 });
  const first = new EventEmitter();
  expect(shares.give(first)).toBe(1000);
  expect(shares.give(new EventEmitter())).toBe(875);
  first.emit('close');
  expect(shares.give(new EventEmitter())).toBe(890);
});
