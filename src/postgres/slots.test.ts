import { expect, it } from 'vitest';
import { Slots } from './slots.ts';

const never = new AbortController().signal;

it('hands slots out in the order of asking, and no more than there are', async () => {
  const slots = new Slots(1);
  const order: string[] = [];
  const first = await slots.take(never);
  const second = slots.take(never).then((giveBack) => (order.push('second'), giveBack));
  const third = slots.take(never).then((giveBack) => (order.push('third'), giveBack));
  await Promise.resolve();
  expect(order).toEqual([]);
  first();
  (await second)();
  (await third)();
  expect(order).toEqual(['second', 'third']);
});

it('loses no slot to one who stopped waiting', async () => {
  const slots = new Slots(1);
  const giveBack = await slots.take(never);
  const impatient = new AbortController();
  const waiting = slots.take(impatient.signal);
  const patient = slots.take(never);
  impatient.abort();
  await expect(waiting).rejects.toThrow('aborted');
  giveBack();
  (await patient)();
  (await slots.take(never))();
});

it('does not grant a slot after an abort', async () => {
  await expect(new Slots(1).take(AbortSignal.abort())).rejects.toThrow('aborted');
});
