import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BodyBudget, type BodyLease } from './body-budget.ts';

const MIB = 1024 * 1024;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A body that has arrived, or that arrives. */
function bodyOf(budget: BodyBudget, bytes: number, { arrives = false } = {}): BodyLease {
  const lease = budget.open({ pause: () => undefined, resume: () => undefined, cutOff: () => undefined });
  lease.add(bytes);
  if (!arrives) lease.arrived();
  return lease;
}

/** The state of the reservation now. */
async function stateOf(reserved: Promise<void>): Promise<string> {
  const outcome = reserved.then(
    () => 'room',
    () => 'refused',
  );
  await vi.advanceTimersByTimeAsync(0);
  return await Promise.race([outcome, Promise.resolve('waiting')]);
}

it('lets a compressed body wait for the memory that it may expand to', async () => {
  const budget = new BodyBudget(10 * MIB);
  const other = bodyOf(budget, 4 * MIB);
  const compressed = bodyOf(budget, 1000);
  const reserved = compressed.reserve(8 * MIB);
  reserved.catch(() => undefined);
  expect(await stateOf(reserved)).toBe('waiting');
  other.release();
  expect(await stateOf(reserved)).toBe('room');
  expect(budget.usedBytes).toBe(1000 + 8 * MIB);
  compressed.expanded(3 * MIB);
  expect(budget.usedBytes).toBe(1000 + 3 * MIB);
  compressed.release();
  expect(budget.usedBytes).toBe(0);
});

it('refuses a compressed body that waits for too long', async () => {
  const budget = new BodyBudget(10 * MIB);
  bodyOf(budget, 4 * MIB);
  const reserved = bodyOf(budget, 1000).reserve(8 * MIB);
  reserved.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(4000);
  expect(await stateOf(reserved)).toBe('waiting');
  await vi.advanceTimersByTimeAsync(2000);
  expect(await stateOf(reserved)).toBe('refused');
});

it('cuts off the oldest body that still arrives for one that waits', async () => {
  const budget = new BodyBudget(10 * MIB);
  const slow = bodyOf(budget, 4 * MIB, { arrives: true });
  const reserved = bodyOf(budget, 1000).reserve(8 * MIB);
  await vi.advanceTimersByTimeAsync(1500);
  expect(slow.isHeld).toBe(false);
  expect(await stateOf(reserved)).toBe('room');
});

it('always has room for what the only body expands to', async () => {
  const budget = new BodyBudget(10 * MIB);
  const reserved = bodyOf(budget, 1000).reserve(20 * MIB);
  expect(await stateOf(reserved)).toBe('room');
});

it('lets nothing wait for a sender that has left, and counts its body until the end', async () => {
  const budget = new BodyBudget(10 * MIB);
  bodyOf(budget, 4 * MIB);
  const compressed = bodyOf(budget, 1000);
  const reserved = compressed.reserve(8 * MIB);
  reserved.catch(() => undefined);
  compressed.abort();
  expect(await stateOf(reserved)).toBe('refused');
  expect(budget.usedBytes).toBe(4 * MIB + 1000);
  compressed.release();
  expect(budget.usedBytes).toBe(4 * MIB);
});
