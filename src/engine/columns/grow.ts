type Column = Uint8Array | Uint16Array | Int32Array | Uint32Array | Float64Array;

/** A copy of the column with twice the length. */
export function grow<T extends Column>(old: T): T {
  return resized(old, old.length * 2);
}

/** A copy of the column with this length: cut off, or filled with 0. */
export function resized<T extends Column>(old: T, length: number): T {
  const Kind = old.constructor as new (length: number) => T;
  const other = new Kind(length);
  other.set(length < old.length ? old.subarray(0, length) : old);
  return other;
}
