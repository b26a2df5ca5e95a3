/** @throws Error if the input ends before. */
export function littleEndian(input: Uint8Array, at: number, width: number): number {
  if (at + width > input.length) throw new Error('unexpected end');
  let value = 0;
  for (let i = width - 1; i >= 0; i--) value = value * 256 + (input[at + i] as number);
  return value;
}
