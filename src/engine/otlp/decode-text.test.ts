import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeText } from './decode-text.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

it('decodes texts that come once, twice and again, as a decoder does', () => {
  const texts = fc.array(fc.uint8Array({ maxLength: 80 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(texts, fc.nat({ max: 3 }), (all, before) => {
      for (let time = 0; time < 3; time++) {
        for (const bytes of all) {
          const buffer = Uint8Array.from([...new Uint8Array(before), ...bytes, 0x41]);
          expect(decodeText(buffer, before, before + bytes.length)).toBe(decoder.decode(bytes));
        }
      }
    }),
  );
});

it('does not take another text for a known one', () => {
  const seen = Array.from({ length: 20_000 }, (_, number) => Buffer.from(`order-${number % 9000}`));
  for (const bytes of seen) expect(decodeText(bytes, 0, bytes.length)).toBe(bytes.toString());
});
