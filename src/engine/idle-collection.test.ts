import { expect, it } from 'vitest';
import { IdleCollection, type HeapOfProcess } from './idle-collection.ts';
import type { MemoryParts } from './process-memory.ts';

const MIB = 1024 * 1024;

class TestProcess implements HeapOfProcess {
  heapMib = 100;
  objectMib = 20;
  bufferMib = 3;
  work = 0;
  afterMib = 30;
  collections = 0;

  readonly memory = (): MemoryParts => ({
    heapBytes: this.heapMib * MIB,
    objectBytes: this.objectMib * MIB,
    bufferBytes: this.bufferMib * MIB,
  });

  readonly cpuShare = (): number => this.work;

  readonly collectGarbage = (): void => {
    this.collections++;
    this.heapMib = this.afterMib;
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
  ['uses most of its heap', { objectMib: 80 }],
  ['has a small heap', { heapMib: 30, objectMib: 14.5 }],
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
  process.heapMib = 120;
  collection.check();
  expect(process.collections).toBe(2);
});

it('collects again after a peak that is as high as the last one', () => {
  const process = new TestProcess();
  using collection = new IdleCollection(process);
  for (const heapMib of [100, 25, 29]) {
    Object.assign(process, { heapMib, afterMib: 30, objectMib: 5 });
    collection.check();
  }
  expect(process.collections).toBe(2);
});

it('collects buffers that are new since the last collection, once', () => {
  const process = Object.assign(new TestProcess(), { heapMib: 25, bufferMib: 60 });
  expect(checked(process, 3)).toBe(1);
});
