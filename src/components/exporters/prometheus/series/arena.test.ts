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

test('gives blocks back when pieces are released, and pieces can move out of sparse blocks', () => {
  const arena = new Arena();
  const sizeBytes = 1000;
  let pieces = Array.from({ length: 20_000 }, (_, i) => {
    const address = arena.allocate(sizeBytes);
    arena.block(address).bytes.writeUInt32LE(i, inBlock(address));
    return { i, address };
  });
  const { heldBytes } = arena;
  for (const { i, address } of pieces) if (i % 100 > 0) arena.release(address, sizeBytes);
  pieces = pieces.filter(({ i }) => i % 100 === 0);
  expect(arena.heldBytes).toBeGreaterThan(heldBytes * 0.9);
  arena.vacateSparseBlocks();
  for (const piece of pieces) {
    if (arena.isVacated(piece.address)) piece.address = arena.move(piece.address, sizeBytes);
  }
  expect(arena.heldBytes).toBeLessThan(heldBytes * 0.05);
  for (const { i, address } of pieces) expect(arena.block(address).bytes.readUInt32LE(inBlock(address))).toBe(i);
  for (const { address } of pieces) arena.release(address, sizeBytes);
  expect(arena.usedBytes).toBe(0);
  expect(arena.heldBytes).toBeLessThanOrEqual(BLOCK_BYTES);
});
