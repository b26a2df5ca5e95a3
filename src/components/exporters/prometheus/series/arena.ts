/** One `ArrayBuffer`, seen as each type of content that the arena stores. */
export interface ArenaBlock {
  readonly bytes: Buffer;
  readonly words: Int32Array;
  readonly cells: Float64Array;
}

const BLOCK_BITS = 17;
const GRAIN_BYTES = 16;
const SMALL_BYTES = 128;
/** The size of a block, and of the largest piece. */
export const BLOCK_BYTES = 1 << BLOCK_BITS;
/** Blocks are vacated only if the rest has this much room for each piece in use. */
const SPARE = 1.25;

/**
 * Allocates pieces of memory for data that lives as long as a series: label text, attribute bytes, bucket counts. A block
 * of 128 KiB contains pieces of one size, so a released piece is reused by the next request for its size. A block without
 * pieces is given back. The address of a piece is its offset over all blocks, a multiple of 16 bytes.
 */
export class Arena {
  readonly #blocks: (Block | undefined)[] = [];
  readonly #unusedNumbers: number[] = [];
  readonly #sizes = new Map<number, BlocksOfSize>();
  #usedBytes = 0;
  #blockCount = 0;

  /** The bytes of all pieces in use. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The bytes of all blocks. */
  get heldBytes(): number {
    return this.#blockCount * BLOCK_BYTES;
  }

  /** The block that contains the piece at this address. */
  block(address: number): ArenaBlock {
    return this.#blocks[address >>> BLOCK_BITS] as ArenaBlock;
  }

  /** Returns the address of a piece. Its content is undefined. */
  allocate(sizeBytes: number): number {
    const pieceBytes = rounded(sizeBytes);
    const { open } = this.#ofSize(pieceBytes);
    const block = open.at(-1) ?? this.#addBlock(pieceBytes);
    const offset = block.take();
    if (block.isFull) open.pop();
    this.#usedBytes += pieceBytes;
    return block.number * BLOCK_BYTES + offset;
  }

  /** `sizeBytes` must be the size of the allocation. */
  release(address: number, sizeBytes: number): void {
    const pieceBytes = rounded(sizeBytes);
    const blocks = this.#ofSize(pieceBytes);
    const block = this.#blocks[address >>> BLOCK_BITS] as Block;
    if (block.isFull && !block.isVacated) blocks.open.push(block);
    block.putBack(inBlock(address));
    this.#usedBytes -= pieceBytes;
    if (block.used === 0 && (block.isVacated || blocks.open.length > 1)) this.#drop(block, blocks);
  }

  /**
   * Selects blocks with few pieces, which are not used for new pieces any more. The owner of a piece in such a block
   * moves it: see `isVacated`.
   */
  vacateSparseBlocks(): void {
    for (const blocks of this.#sizes.values()) {
      const { open, perBlock } = blocks;
      const used = open.reduce((sum, block) => sum + block.used, 0);
      const needed = Math.ceil((used * SPARE) / perBlock) + 1;
      if (open.length <= needed) continue;
      open.sort((a, b) => b.used - a.used);
      for (const block of open.splice(needed)) {
        block.isVacated = true;
        if (block.used === 0) this.#drop(block, blocks);
      }
      // The fullest is used first, so that the others become empty.
      open.reverse();
    }
  }

  /** True if the piece at this address must move: allocate another, copy the content, and release this one. */
  isVacated(address: number): boolean {
    return (this.#blocks[address >>> BLOCK_BITS] as Block).isVacated;
  }

  /** Moves the piece. Returns its new address. */
  move(address: number, sizeBytes: number): number {
    const target = this.allocate(sizeBytes);
    const start = inBlock(address);
    this.block(target).bytes.set(this.block(address).bytes.subarray(start, start + sizeBytes), inBlock(target));
    this.release(address, sizeBytes);
    return target;
  }

  #ofSize(pieceBytes: number): BlocksOfSize {
    let blocks = this.#sizes.get(pieceBytes);
    if (blocks === undefined) {
      blocks = { open: [], perBlock: Math.floor(BLOCK_BYTES / pieceBytes) };
      this.#sizes.set(pieceBytes, blocks);
    }
    return blocks;
  }

  #addBlock(pieceBytes: number): Block {
    const number = this.#unusedNumbers.pop() ?? this.#blocks.length;
    const block = new Block(number, pieceBytes);
    this.#blocks[number] = block;
    this.#blockCount++;
    this.#ofSize(pieceBytes).open.push(block);
    return block;
  }

  #drop(block: Block, { open }: BlocksOfSize): void {
    const at = open.indexOf(block);
    if (at >= 0) open.splice(at, 1);
    this.#blocks[block.number] = undefined;
    this.#unusedNumbers.push(block.number);
    this.#blockCount--;
  }
}

/** The offset of a piece in its block. */
export function inBlock(address: number): number {
  return address & (BLOCK_BYTES - 1);
}

interface BlocksOfSize {
  /** Blocks for new pieces; the last one is used first. */
  readonly open: Block[];
  readonly perBlock: number;
}

class Block implements ArenaBlock {
  readonly number: number;
  readonly bytes: Buffer;
  readonly words: Int32Array;
  readonly cells: Float64Array;
  readonly #pieceBytes: number;
  isVacated = false;
  used = 0;
  /** Pieces from this offset on were never in use. */
  #fresh = 0;
  /** The offset of the first released piece, whose first word is the offset of the next one; -1 for none. */
  #released = -1;

  constructor(number: number, pieceBytes: number) {
    const buffer = new ArrayBuffer(BLOCK_BYTES);
    this.number = number;
    this.bytes = Buffer.from(buffer);
    this.words = new Int32Array(buffer);
    this.cells = new Float64Array(buffer);
    this.#pieceBytes = pieceBytes;
  }

  get isFull(): boolean {
    return this.#released < 0 && this.#fresh + this.#pieceBytes > BLOCK_BYTES;
  }

  take(): number {
    this.used++;
    const offset = this.#released;
    if (offset >= 0) {
      this.#released = this.words[offset >>> 2] as number;
      return offset;
    }
    this.#fresh += this.#pieceBytes;
    return this.#fresh - this.#pieceBytes;
  }

  putBack(offset: number): void {
    this.used--;
    this.words[offset >>> 2] = this.#released;
    this.#released = offset;
  }
}

/** Few different sizes, so that released pieces are reused: steps of 16 bytes, then four steps to the next power of two. */
function rounded(sizeBytes: number): number {
  if (sizeBytes <= SMALL_BYTES) return Math.max(1, Math.ceil(sizeBytes / GRAIN_BYTES)) * GRAIN_BYTES;
  const step = 1 << (29 - Math.clz32(sizeBytes - 1));
  return Math.ceil(sizeBytes / step) * step;
}
