import { EventEmitter } from 'node:events';
import { afterEach, expect, it, vi } from 'vitest';
import { headBytes, HeaderMemory } from './header-memory.ts';

const KIB = 1024;

afterEach(() => vi.useRealTimers());

function headOf(kib: number): { rawHeaders: string[] } {
  return { rawHeaders: ['cookie', 'a'.repeat(kib * KIB - 100)] };
}

function take(memory: HeaderMemory, kib: number): { isTaken: boolean; sides: EventEmitter[]; cutOff: () => void } {
  const sides = [new EventEmitter(), new EventEmitter()];
  const cutOff = vi.fn();
  return { isTaken: memory.take(headOf(kib), sides, cutOff), sides, cutOff };
}

it('counts large headers until both sides of the exchange are closed', () => {
  const memory = new HeaderMemory(100 * KIB);
  const first = take(memory, 60);
  expect(first.isTaken).toBe(true);
  expect(take(memory, 60).isTaken).toBe(false);
  first.sides[0]?.emit('close');
  expect(take(memory, 60).isTaken).toBe(false);
  first.sides[1]?.emit('close');
  expect(take(memory, 60).isTaken).toBe(true);
});

it('accepts usual headers without room', () => {
  const memory = new HeaderMemory(0);
  expect(take(memory, 10).isTaken).toBe(true);
  expect(take(memory, 20).isTaken).toBe(false);
});

it('cuts off the oldest requests for new ones after a second', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const memory = new HeaderMemory(100 * KIB);
  const held = [take(memory, 40), take(memory, 40)];
  expect(take(memory, 40).isTaken).toBe(false);
  vi.advanceTimersByTime(1500);
  expect(take(memory, 40).isTaken).toBe(true);
  expect(held[0]?.cutOff).toHaveBeenCalledOnce();
  for (const { sides } of held) for (const side of sides) side.emit('close');
  expect(take(memory, 60).isTaken).toBe(true);
  expect(take(memory, 20).isTaken).toBe(false);
});

it('counts a text for each short name and value', () => {
  expect(headBytes({ rawHeaders: ['a', 'b'], url: '/' })).toBeGreaterThan(60);
});
