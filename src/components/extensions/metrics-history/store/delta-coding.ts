/**
 * Whole numbers as their difference to the number before, all with the width of the largest one. Counters and buckets of
 * histograms need a third of the space that their bits as doubles do.
 */
import type { BitReader, BitWriter } from './bit-writer.ts';

const WIDTH_BITS = 5;
const MAX_WIDTH = 2 ** WIDTH_BITS - 1;

/** Twice as much is still exact. */
const MAX_WHOLE = 2 ** 52 - 1;

/** The bits of each difference; undefined if the numbers are not whole, or too far from each other. */
export function widthOfDeltas(values: Float64Array): number | undefined {
  let most = 0;
  for (const [index, value] of values.entries()) {
    if (!Number.isInteger(value) || Math.abs(value) > MAX_WHOLE || Object.is(value, -0)) return undefined;
    if (index > 0) most = Math.max(most, zigzag(value - (values[index - 1] as number)));
  }
  const width = most === 0 ? 0 : Math.floor(Math.log2(most)) + 1;
  return width > MAX_WIDTH ? undefined : width;
}

export function writeDeltas(values: Float64Array, width: number, bits: BitWriter): void {
  const first = zigzag(values[0] as number);
  bits.write(Math.floor(first / 2 ** 32), 32);
  bits.write(first >>> 0, 32);
  bits.write(width, WIDTH_BITS);
  for (let i = 1; i < values.length; i++) bits.write(zigzag((values[i] as number) - (values[i - 1] as number)), width);
}

export class DeltaDecoder {
  readonly #bits: BitReader;
  #value: number | undefined;
  #width = 0;

  constructor(bits: BitReader) {
    this.#bits = bits;
  }

  read(): number {
    if (this.#value === undefined) {
      this.#value = unzigzag(this.#bits.read(32) * 2 ** 32 + this.#bits.read(32));
      this.#width = this.#bits.read(WIDTH_BITS);
    } else this.#value += unzigzag(this.#bits.read(this.#width));
    return this.#value;
  }
}

/** Small numbers of both signs become small numbers. */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
