import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Arena, inBlock, BLOCK_BYTES } from './arena.ts';

const steps = fc.array(fc.record({ sizeBytes: fc.integer({ min: 0, max: 70_000 }), release: fc.nat(3) }), {
  maxLength: 100,
});

test('pieces in use never overlap, and each lies in one block', () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const arena = new Arena();
      let used: { address: number; sizeBytes: number }[] = [];
      for (const { sizeBytes, release } of taken) {
        const address = arena.allocate(sizeBytes);
        expect(inBlock(address) + sizeBytes).toBeLessThanOrEqual(BLOCK_BYTES);
        expect(address % 8).toBe(0);
        expect(
          used.every((other) => address >= other.address + other.sizeBytes || other.address >= address + sizeBytes),
        ).toBe(true);
        used.push({ address, sizeBytes });
        const [freed] = used.splice(release, 1);
        if (freed !== undefined) arena.release(freed.address, freed.sizeBytes);
      }
    }),
  );
});
