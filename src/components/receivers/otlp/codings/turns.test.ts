import { expect, it } from 'vitest';
import { Turns } from './turns.ts';

const [alice, bob] = [{ name: 'alice' }, { name: 'bob' }];

/** Starts all of the work together, and returns the order in which it began. */
async function order(work: readonly (readonly [name: string, owner: object, expands?: true])[]): Promise<string[]> {
  const turns = new Turns();
  const begun: string[] = [];
  let running = 0;
  const one = async (name: string): Promise<void> => {
    begun.push(name);
    expect(++running).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
  };
  await Promise.all(work.map(([name, owner, expands = false]) => turns.run(() => one(name), { owner, expands })));
  return begun;
}

it('lets owners take turns', async () => {
  const work = [
    ['a1', alice],
    ['a2', alice],
    ['a3', alice],
    ['b1', bob],
    ['b2', bob],
  ] as const;
  expect(await order(work)).toEqual(['a1', 'a2', 'b1', 'a3', 'b2']);
});

it('lets work that expands wait for the rest, with every fifth turn for it', async () => {
  const expanding = Array.from({ length: 4 }, (_, i) => [`x${i}`, alice, true] as const);
  const ordinary = Array.from({ length: 6 }, (_, i) => [`${i}`, bob] as const);
  expect((await order([...expanding, ...ordinary])).join(' ')).toBe('x0 0 1 2 3 x1 4 5 x2 x3');
});

it('continues after work that fails', async () => {
  const turns = new Turns();
  const failing = turns.run(() => Promise.reject(new Error('damaged')), { owner: alice, expands: false });
  const next = turns.run(() => Promise.resolve('next'), { owner: bob, expands: false });
  await expect(failing).rejects.toThrow('damaged');
  expect(await next).toBe('next');
});
