import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { numberText, openMetricsNumber } from '../names/number-text.ts';
import { PageBuffer } from './page-buffer.ts';

test('a page is what was written, however it falls into chunks, and again after it was cleared', () => {
  const buffer = new PageBuffer();
  fc.assert(
    fc.property(fc.array(fc.nat(400_000), { maxLength: 12 }), (lengths) => {
      buffer.clear();
      let expected = '';
      for (const [i, length] of lengths.entries()) {
        const text = String.fromCharCode(97 + i).repeat(length);
        const start = buffer.reserve(length + 2);
        buffer.ascii(text);
        buffer.ascii(', ');
        buffer.keepFrom(start);
        buffer.number(i);
        buffer.repeat();
        expected += `${text}, ${i}${text}, `;
      }
      const { chunks, length } = buffer.page;
      expect(length).toBe(expected.length);
      expect(Buffer.concat(chunks).equals(Buffer.from(expected))).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test('a number is written as the same text as numberText returns', () => {
  fc.assert(
    fc.property(fc.oneof(fc.double(), fc.integer(), fc.nat(2_000_000), fc.maxSafeNat()), (value) => {
      const buffer = new PageBuffer();
      buffer.number(value);
      buffer.text(' ');
      buffer.openMetricsNumber(value);
      expect(Buffer.concat(buffer.page.chunks).toString()).toBe(`${numberText(value)} ${openMetricsNumber(value)}`);
      if (!Object.is(value, -0) && Number.isFinite(value)) expect(Number(numberText(value))).toBe(value);
    }),
  );
});
