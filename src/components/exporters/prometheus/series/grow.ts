type Column = Uint8Array | Uint16Array | Int32Array | Uint32Array | Float64Array;

/** A copy of the column with twice the length. */
export function grow<T extends Column>(old: T): T {
  const Kind = old.constructor as new (length: number) => T;
  const larger = new Kind(old.length * 2);
  larger.set(old);
  return larger;
}
