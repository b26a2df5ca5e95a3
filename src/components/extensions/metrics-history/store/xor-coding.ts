/**
 * Numbers as their difference in bits to the number before, as in "Gorilla: a fast, scalable, in-memory time series
 * database" (VLDB 2015): one bit for the same number again; else the bits between leading and trailing zeros, whose place is
 * written only if it does not fit into the place of the last difference.
 */
import { BitReader, type BitWriter } from './bit-writer.ts';

const number = new Float64Array(1);
const halves = new Uint32Array(number.buffer);
/** In the order of the machine. */
const [LOW, HIGH] = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? [0, 1] : [1, 0];

const PLACE_BITS = 6;

export class XorEncoder {
  readonly #bits: BitWriter;
  #high = 0;
  #low = 0;
  #isFirst = true;
  /** The place of the last difference. */
  #leading = 64;
  #trailing = 0;

  constructor(bits: BitWriter) {
    this.#bits = bits;
  }

  write(value: number): void {
    number[0] = value;
    const high = halves[HIGH] as number;
    const low = halves[LOW] as number;
    const [differentHigh, differentLow] = [(high ^ this.#high) >>> 0, (low ^ this.#low) >>> 0];
    this.#high = high;
    this.#low = low;
    if (this.#isFirst) {
      this.#isFirst = false;
      this.#bits.write(high, 32);
      this.#bits.write(low, 32);
    } else if (differentHigh === 0 && differentLow === 0) this.#bits.write(0, 1);
    else this.#writeDifference(differentHigh, differentLow);
  }

  #writeDifference(high: number, low: number): void {
    const leading = high === 0 ? 32 + Math.clz32(low) : Math.clz32(high);
    const trailing = low === 0 ? 32 + trailingZeros(high) : trailingZeros(low);
    this.#bits.write(1, 1);
    const spared = leading - this.#leading + (trailing - this.#trailing);
    // The old place is shorter to write, unless it is much wider.
    if (leading >= this.#leading && trailing >= this.#trailing && spared <= 2 * PLACE_BITS) this.#bits.write(0, 1);
    else {
      this.#bits.write(1, 1);
      this.#leading = leading;
      this.#trailing = trailing;
      this.#bits.write(leading, PLACE_BITS);
      this.#bits.write(trailing, PLACE_BITS);
    }
    this.#writeMiddle(high, low);
  }

  #writeMiddle(high: number, low: number): void {
    const [leading, trailing] = [this.#leading, this.#trailing];
    if (leading < 32) {
      const cut = Math.max(0, trailing - 32);
      this.#bits.write(high >>> cut, 32 - leading - cut);
    }
    if (trailing < 32) this.#bits.write(low >>> trailing, 32 - trailing - Math.max(0, leading - 32));
  }
}

export class XorDecoder {
  readonly #bits: BitReader;
  #high = 0;
  #low = 0;
  #isFirst = true;
  #leading = 0;
  #trailing = 0;

  constructor(bits: BitReader) {
    this.#bits = bits;
  }

  read(): number {
    if (this.#isFirst) {
      this.#isFirst = false;
      this.#high = this.#bits.read(32);
      this.#low = this.#bits.read(32);
    } else if (this.#bits.read(1) === 1) this.#readDifference();
    halves[HIGH] = this.#high;
    halves[LOW] = this.#low;
    return number[0] as number;
  }

  #readDifference(): void {
    if (this.#bits.read(1) === 1) {
      this.#leading = this.#bits.read(PLACE_BITS);
      this.#trailing = this.#bits.read(PLACE_BITS);
    }
    const [leading, trailing] = [this.#leading, this.#trailing];
    if (leading < 32) {
      const cut = Math.max(0, trailing - 32);
      this.#high = (this.#high ^ (this.#bits.read(32 - leading - cut) << cut)) >>> 0;
    }
    if (trailing >= 32) return;
    const count = 32 - trailing - Math.max(0, leading - 32);
    this.#low = (this.#low ^ (this.#bits.read(count) << trailing)) >>> 0;
  }
}

function trailingZeros(half: number): number {
  return 31 - Math.clz32(half & -half);
}
