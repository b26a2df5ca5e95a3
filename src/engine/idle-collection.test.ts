import { expect, it } from 'vitest';
import { IdleCollection, type HeapOfProcess } from './idle-collection.ts';

const MIB = 1024 * 1024;

class TestProcess implements HeapOfProcess {
  heldMib = 100;
  usedMib = 20;
  work = 0;
  afterMib = 30;
  collections = 0;

  readonly heap = (): { heldBytes: number; usedBytes: number } => ({
    heldBytes: this.heldMib * MIB,
    usedBytes: this.usedMib * MIB,
  });

  readonly cpuShare = (): number => this.work;

  readonly collectGarbage = (): void => {
    this.collections++;
    this.heldMib = this.afterMib;
  };
}

function checked(process: TestProcess, times = 1): number {
  using collection = new IdleCollection(process);
  for (let time = 0; time < times; time++) collection.check();
  return process.collections;
}

it('collects the garbage of an idle process whose heap is mostly empty', () => {
  expect(checked(new TestProcess())).toBe(1);
});

it.each([
  ['works', { work: 0.2 }],
  ['uses most of its heap', { usedMib: 80 }],
  ['has a small heap', { heldMib: 30, usedMib: 14.5 }],
])('leaves a process alone that %s', (_, state) => {
  expect(checked(Object.assign(new TestProcess(), state))).toBe(0);
});

it('does not repeat a collection that gave back too little', () => {
  expect(checked(Object.assign(new TestProcess(), { afterMib: 90 }), 5)).toBe(1);
});

it('collects again after the next peak', () => {
  const process = new TestProcess();
  using collection = new IdleCollection(process);
  collection.check();
  process.heldMib = 120;
  collection.check();
  expect(process.collections).toBe(2);
});
