import { describe, expect, it } from 'vitest';
import { isChange, isSpike } from './price-change.ts';

const move = (previousPrice: number | null, price: number, isSale = false) => ({
  platformVariantId: '1',
  currency: 'INR',
  price,
  isSale,
  previousPrice,
});

describe('a recorded price', () => {
  it.each([
    [null, 100, false],
    [100, 100, false],
    [100, 101, true],
    [100, 99, true],
  ])('after %s, %s is a change: %s', (previous, price, change) => {
    expect(isChange(move(previous, price))).toBe(change);
  });

  it.each([
    [100, 111, true],
    [100, 89, true],
    [100, 110, false],
    [100, 90, false],
    [null, 500, false],
    [0, 500, false],
  ])('that moves from %s to %s beyond 10 %% is a spike: %s', (previous, price, spike) => {
    expect(isSpike(move(previous, price), 10)).toBe(spike);
  });

  it('that the shop marks as a sale is not a spike', () => {
    expect(isSpike(move(100, 80, true), 10)).toBe(false);
  });
});
