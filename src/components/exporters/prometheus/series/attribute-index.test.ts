import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Arena } from './arena.ts';
import { AttributeIndex, type AttributeBytes } from './attribute-index.ts';
import { collidingKey } from '../../../../engine/columns/colliding-key-under-test.ts';
import { viewOf } from '../../../../engine/columns/hash-bytes.ts';

function bytesOf(text: string): AttributeBytes {
  // The key lies somewhere in a request.
  const bytes = Buffer.from(`before${text}behind`);
  return { view: viewOf(bytes), keyStart: 6, keyEnd: bytes.length - 6 };
}

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom('add', 'add', 'add', 'find', 'removeRow'),
    stream: fc.integer({ min: 1, max: 3 }),
    key: fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 }),
    row: fc.nat(2000),
  }),
  { maxLength: 400 },
);

test('finds what was added, of the last four of a row, and nothing that was removed', () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const index = new AttributeIndex(new Arena());
      const model = new Map<string, number>();
      for (const { kind, stream, key, row } of taken) {
        const name = `${stream} ${key}`;
        const entry = index.find(stream, bytesOf(key));
        expect(entry < 0 ? undefined : index.rows[entry]).toBe(model.get(name));
        if (kind === 'removeRow') {
          index.removeRow(row);
          for (const [known, itsRow] of model) if (itsRow === row) model.delete(known);
        } else if (kind === 'add' && entry < 0) {
          const siblings = [...model].filter(([, itsRow]) => itsRow === row);
          if (siblings.length === 4) model.delete(siblings[0]?.[0] as string);
          index.add(stream, bytesOf(key), { row, identity: 0 });
          model.set(name, row);
        }
      }
    }),
    { numRuns: 200 },
  );
});

test('grows to many keys and shrinks to none without losing one', () => {
  const index = new AttributeIndex(new Arena());
  const count = 20_000;
  for (let i = 0; i < count; i++) index.add(1, bytesOf(`key ${i}`), { row: i, identity: i });
  for (let i = 0; i < count; i += 2) index.removeRow(i);
  for (let i = 0; i < count; i++) expect(index.find(1, bytesOf(`key ${i}`)) >= 0).toBe(i % 2 === 1);
});

test('prepared keys cost as much as others', () => {
  const pairs = 13;
  const prepared = Array.from({ length: 2 ** pairs }, (_, choice) => keyOf(collidingKey(choice, pairs)));
  const others = prepared.map(() => keyOf(randomBytes(8 * pairs)));
  const costs = Array.from({ length: 9 }, () => [cost(prepared), cost(others)] as const);
  const least = Math.min(...costs.map(([ofPrepared]) => ofPrepared));
  // The least is what a busy machine disturbs least.
  expect(least).toBeLessThan(2 * Math.min(...costs.map(([, ofOthers]) => ofOthers)));
});

function keyOf(bytes: Buffer): AttributeBytes {
  return { view: viewOf(bytes), keyStart: 0, keyEnd: bytes.length };
}

/** The CPU time in microseconds: adds the keys, searches them in another order, and removes them. */
function cost(keys: readonly AttributeBytes[]): number {
  const index = new AttributeIndex(new Arena());
  const before = process.cpuUsage();
  for (const [row, key] of keys.entries()) index.add(1, key, { row, identity: 0 });
  for (const key of keys.toReversed()) index.find(1, key);
  for (const row of keys.keys()) index.removeRow(row);
  return process.cpuUsage(before).user;
}
