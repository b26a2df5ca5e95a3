/** One `ArrayBuffer`, seen as each type of content that the arena stores. */
export interface ArenaBlock {
  readonly bytes: Buffer;
  readonly words: Int32Array;
  readonly cells: Float64Array;
}

const BLOCK_BITS = 20;
const GRAIN_BYTES = 16;
const SMALL_BYTES = 1024;

/** The largest piece. */
export const BLOCK_BYTES = 1 << BLOCK_BITS;

/**
 * Allocates pieces of memory for data that lives as long as a series: label text, attribute bytes, bucket counts. Pieces
 * lie in blocks of 1 MiB, so growing copies nothing. A released piece is reused by the next request for its size. The
 * address of a piece is its offset over all blocks, a multiple of 16 bytes.
 */
export class Arena {
  readonly #blocks: ArenaBlock[] = [];
  readonly #released = new Map<number, number[]>();
  #blockUsed = BLOCK_BYTES;

  /** The block that contains the piece at this address. */
  block(address: number): ArenaBlock {
    return this.#blocks[address >>> BLOCK_BITS] as ArenaBlock;
  }

  /** Returns the address of a piece. Its content is undefined. */
  allocate(sizeBytes: number): number {
    const size = rounded(sizeBytes);
    const reused = this.#released.get(size)?.pop();
    if (reused !== undefined) return reused;
    if (this.#blockUsed + size > BLOCK_BYTES) this.#addBlock();
    const address = (this.#blocks.length - 1) * BLOCK_BYTES + this.#blockUsed;
    this.#blockUsed += size;
    return address;
  }

  /** `sizeBytes` must be the size of the allocation. */
  release(address: number, sizeBytes: number): void {
    const size = rounded(sizeBytes);
    const released = this.#released.get(size);
    if (released === undefined) this.#released.set(size, [address]);
    else released.push(address);
  }

  #addBlock(): void {
    const buffer = new ArrayBuffer(BLOCK_BYTES);
    this.#blocks.push({ bytes: Buffer.from(buffer), words: new Int32Array(buffer), cells: new Float64Array(buffer) });
    this.#blockUsed = 0;
  }
}

/** The offset of a piece in its block. */
export function inBlock(address: number): number {
  return address & (BLOCK_BYTES - 1);
}

/** Few different sizes, so that released pieces are reused: steps of 16 bytes, powers of two above 1 KiB. */
function rounded(sizeBytes: number): number {
  if (sizeBytes <= SMALL_BYTES) return Math.max(1, Math.ceil(sizeBytes / GRAIN_BYTES)) * GRAIN_BYTES;
  return 2 ** Math.ceil(Math.log2(sizeBytes));
}
