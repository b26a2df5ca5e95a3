import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { WireReader } from '../../../../engine/otlp/wire-reader.ts';
import { LabelPairs } from './label-pairs.ts';
import { LabelSet } from '../names/label-set.ts';

const name = fc.oneof(fc.stringMatching(/^[a-z_][a-z0-9_]{0,9}$/), fc.string({ minLength: 1, unit: 'grapheme' }));
const value = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ minLength: 100, maxLength: 20_000 }), awkward());

function awkward(): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom('"', '\\', '\n', ',', '=', '{', '}', 'n') });
}

test('the labels in protobuf are those of the text, whatever is in them', () => {
  const pairs = new LabelPairs();
  fc.assert(
    fc.property(fc.dictionary(name, value, { maxKeys: 6 }), fc.nat(5), (labels, offset) => {
      const set = new LabelSet();
      for (const [key, text] of Object.entries(labels)) set.add(key, text);
      const text = Buffer.from(`${'.'.repeat(offset)}${set.text()}} `);
      const expected = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1));
      expect(decoded(pairs.encode(text, offset, text.length - 2))).toEqual(expected);
    }),
  );
});

function decoded(bytes: Uint8Array): [string, string][] {
  const reader = new WireReader(bytes);
  const labels: [string, string][] = [];
  while (!reader.done) {
    expect(reader.tag()).toBe((1 << 3) | 2);
    const pair = reader.message();
    labels.push([stringField(pair, 1), stringField(pair, 2)]);
    expect(pair.done).toBe(true);
  }
  return labels;
}

function stringField(pair: WireReader, field: number): string {
  expect(pair.tag()).toBe((field << 3) | 2);
  return Buffer.from(pair.bytes()).toString();
}
