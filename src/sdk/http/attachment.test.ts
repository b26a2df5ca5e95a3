import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { attachment } from './attachment.ts';

it('keeps a value at an object, where only it sees the value', () => {
  const [first, second] = [attachment<string>(), attachment<number>()];
  const object = { name: 'request' };
  first.add(object, 'a');
  second.add(object, 1);
  expect([first.of(object), second.of(object), first.of({})]).toEqual(['a', 1, undefined]);
  expect(Reflect.ownKeys(object)).toEqual(['name']);
  expect(inspect(object, { showHidden: true })).toBe("{ name: 'request' }");
});
