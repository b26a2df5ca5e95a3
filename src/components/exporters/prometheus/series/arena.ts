/** What one `ArrayBuffer` holds, as the three kinds of content that are put there. */
export interface ArenaPage {
  readonly bytes: Buffer;
  readonly words: Int32Array;
  readonly cells: Float64Array;
}

const PAGE_BITS = 20;
const GRAIN_BYTES = 16;
const SMALL_BYTES = 1024;

/** The largest block. */
export const PAGE_BYTES = 1 << PAGE_BITS;

/**
 * Blocks of bytes that live as long as a series: label text, attribute bytes, bucket counts. They lie in
 * pages of 1 MiB, so that growing copies nothing, and a released block is given to the next that needs its
 * size. Blocks begin at multiples of 16 bytes; where one begins is its address.
 */
export class Arena {
  readonly #pages: ArenaPage[] = [];
  readonly #released = new Map<number, number[]>();
  #pageUsed = PAGE_BYTES;

  /** The page in which a block lies. */
  page(address: number): ArenaPage {
    return this.#pages[address >>> PAGE_BITS] as ArenaPage;
  }

  /** The content is what the last user left. */
  allocate(sizeBytes: number): number {
    const size = rounded(sizeBytes);
    const reused = this.#released.get(size)?.pop();
    if (reused !== undefined) return reused;
    if (this.#pageUsed + size > PAGE_BYTES) this.#addPage();
    const address = (this.#pages.length - 1) * PAGE_BYTES + this.#pageUsed;
    this.#pageUsed += size;
    return address;
  }

  /** `sizeBytes` is what it was allocated with. */
  release(address: number, sizeBytes: number): void {
    const size = rounded(sizeBytes);
    const released = this.#released.get(size);
    if (released === undefined) this.#released.set(size, [address]);
    else released.push(address);
  }

  #addPage(): void {
    const buffer = new ArrayBuffer(PAGE_BYTES);
    this.#pages.push({ bytes: Buffer.from(buffer), words: new Int32Array(buffer), cells: new Float64Array(buffer) });
    this.#pageUsed = 0;
  }
}

/** Where in its page a block begins. */
export function inPage(address: number): number {
  return address & (PAGE_BYTES - 1);
}

/** Few sizes, so that released blocks find a new user: steps of 16 bytes, powers of two above 1 KiB. */
function rounded(sizeBytes: number): number {
  if (sizeBytes <= SMALL_BYTES) return Math.max(1, Math.ceil(sizeBytes / GRAIN_BYTES)) * GRAIN_BYTES;
  return 2 ** Math.ceil(Math.log2(sizeBytes));
}
