import { resized } from '../../../../engine/columns/grow.ts';
import { BitReader, BitWriter } from './bit-writer.ts';
import { DeltaDecoder, widthOfDeltas, writeDeltas } from './delta-coding.ts';
import { XorDecoder, XorEncoder } from './xor-coding.ts';

/** The moments of a segment: as many as the bits of a mask. */
export const MOMENTS = 32;

/** Receives the samples of a series, in the order of their time. */
export interface SampleVisitor {
  value(timeMs: number, value: number): void;
  absent(timeMs: number): void;
}

/** The values of all series at some moments that follow one another, compressed. */
export interface Segment {
  readonly timesMs: Float64Array;
  /** The bytes of series i are those between `starts[i]` and `starts[i + 1]`. */
  readonly starts: Uint32Array;
  readonly bytes: Uint8Array;
}

export function sizeOf({ timesMs, starts, bytes }: Segment): number {
  return timesMs.byteLength + starts.byteLength + bytes.byteLength + SEGMENT_BYTES;
}

const SEGMENT_BYTES = 400;

/** Most of the memory of a short history is here, so it has little to spare. */
const GROWTH = 1.125;

/** The segment that is being written. Its values are not compressed. */
export class OpenSegment {
  readonly timesMs: number[] = [];
  #capacity = 1024;
  /** One array for each moment. */
  #values = Array.from({ length: MOMENTS }, () => new Float64Array(this.#capacity));
  /** For each series one bit for each moment. */
  #masks = new Uint32Array(this.#capacity);
  /** The values of one series, while it is compressed. */
  readonly #present = new Float64Array(MOMENTS);

  get sizeBytes(): number {
    return this.#capacity * (MOMENTS * 8 + 4);
  }

  get isFull(): boolean {
    return this.timesMs.length === MOMENTS;
  }

  /** Begins the next moment. */
  begin(timeMs: number): void {
    this.timesMs.push(timeMs);
  }

  /** Series up to this number can be written. */
  fit(number: number): void {
    if (number < this.#capacity) return;
    this.#capacity = Math.ceil(number * GROWTH);
    this.#values = this.#values.map((moment) => resized(moment, this.#capacity));
    this.#masks = resized(this.#masks, this.#capacity);
  }

  write(number: number, value: number): void {
    const moment = this.timesMs.length - 1;
    (this.#values[moment] as Float64Array)[number] = value;
    this.#masks[number] = (this.#masks[number] as number) | (1 << moment);
  }

  isWritten(number: number): boolean {
    return this.#masks[number] !== 0;
  }

  visit(number: number, visitor: SampleVisitor): void {
    const mask = this.#masks[number] ?? 0;
    for (const [moment, timeMs] of this.timesMs.entries()) {
      if (((mask >>> moment) & 1) === 0) visitor.absent(timeMs);
      else visitor.value(timeMs, (this.#values[moment] as Float64Array)[number] as number);
    }
  }

  /** Compresses series in steps. Nothing may be written meanwhile. */
  *compressed(series: number): Generator<undefined, Segment> {
    const bits = new BitWriter();
    const starts = new Uint32Array(series + 1);
    for (let number = 0; number < series; number++) {
      this.#encode(number, bits);
      starts[number + 1] = bits.length;
      if (number % SERIES_A_STEP === 0) yield;
    }
    return { timesMs: Float64Array.from(this.timesMs), starts, bytes: bits.finish() };
  }

  clear(): void {
    this.timesMs.length = 0;
    this.#masks.fill(0);
  }

  /** One bit if the series was always there, else the mask; one bit for the coding; the values. */
  #encode(number: number, bits: BitWriter): void {
    const mask = this.#masks[number] ?? 0;
    if (mask === 0) return;
    const isWhole = mask >>> 0 === maskOf(this.timesMs.length);
    bits.write(Number(isWhole), 1);
    if (!isWhole) bits.write(mask >>> 0, 32);
    let count = 0;
    for (let moment = 0; moment < this.timesMs.length; moment++) {
      if (((mask >>> moment) & 1) === 1)
        this.#present[count++] = (this.#values[moment] as Float64Array)[number] as number;
    }
    const present = this.#present.subarray(0, count);
    const width = widthOfDeltas(present);
    bits.write(Number(width !== undefined), 1);
    if (width !== undefined) writeDeltas(present, width, bits);
    else {
      const encoder = new XorEncoder(bits);
      for (const value of present) encoder.write(value);
    }
    bits.align();
  }
}

const SERIES_A_STEP = 64;

function maskOf(moments: number): number {
  return moments === MOMENTS ? 0xff_ff_ff_ff : 2 ** moments - 1;
}

export function visitSegment({ timesMs, starts, bytes }: Segment, number: number, visitor: SampleVisitor): void {
  const start = starts[number] ?? 0;
  const isEmpty = number + 1 >= starts.length || starts[number + 1] === start;
  const bits = new BitReader(bytes, start);
  const isWhole = !isEmpty && bits.read(1) === 1;
  const mask = isEmpty ? 0 : isWhole ? maskOf(timesMs.length) : bits.read(32);
  const decoder = !isEmpty && bits.read(1) === 1 ? new DeltaDecoder(bits) : new XorDecoder(bits);
  for (const [moment, timeMs] of timesMs.entries()) {
    if (((mask >>> moment) & 1) === 1) visitor.value(timeMs, decoder.read());
    else visitor.absent(timeMs);
  }
}

/** True if the series has a value in the segment. */
export function isIn({ starts }: Segment, number: number): boolean {
  return number + 1 < starts.length && starts[number + 1] !== starts[number];
}
