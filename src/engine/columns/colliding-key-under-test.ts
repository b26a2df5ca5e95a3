/**
 * Keys that all collide in a hash that multiplies by an odd number and shifts by 15 for each word, whatever its seed.
 * Each bit of `choice` flips bit 31 of one word, and in the next word the bits that this changes.
 */
export function collidingKey(choice: number, pairs: number): Buffer {
  const key = Buffer.alloc(8 * pairs);
  for (let pair = 0; pair < pairs; pair++) {
    const flips = (choice >>> pair) & 1;
    key.writeUInt32LE(flips === 1 ? 0x80000000 : 0, 8 * pair);
    key.writeUInt32LE(flips === 1 ? 0x80010000 : 0, 8 * pair + 4);
  }
  return key;
}
