import { setImmediate as nextTurn } from 'node:timers/promises';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import type { Page, PageBuffer } from '../page/page-buffer.ts';

const GZIP_CHUNK_BYTES = 64 * 1024;
const CHUNKS_A_TURN = 4;

/** A response that sends a page. */
export class PageReader {
  readonly #startMs = performance.now();
  readonly #cutOff: () => void;
  /** Later than now until the first part of the page is sent. */
  #progressMs = Infinity;

  constructor(cutOff: () => void) {
    this.#cutOff = cutOff;
  }

  /** To be called when the reader has accepted a part of the page. */
  progressed(): void {
    this.#progressMs = performance.now();
  }

  /** True if the reader accepts nothing now, or has not finished for this time. */
  isSlow(maxMs: number): boolean {
    const nowMs = performance.now();
    return nowMs - this.#progressMs > STALLED_MS || nowMs - this.#startMs > maxMs;
  }

  cutOff(): void {
    this.#cutOff();
  }
}

const STALLED_MS = 1000;

/** One page, shared by several responses. Its buffer is released when the last response is sent. */
export class Rendering {
  readonly format: string;
  readonly identity: Promise<Page>;
  readonly #buffer: PageBuffer;
  readonly #release: () => void;
  readonly #startMs = performance.now();
  readonly #readers = new Set<PageReader>();
  #isReleased = false;
  #isReady = false;
  #gzipped: Promise<Page> | undefined;

  constructor(
    format: string,
    { buffer, rendered }: { readonly buffer: PageBuffer; readonly rendered: Promise<void> },
    release: () => void,
  ) {
    this.format = format;
    this.#buffer = buffer;
    this.identity = rendered.then(() => {
      this.#isReady = true;
      return buffer.page;
    });
    this.#release = release;
  }

  /** The bytes that are rendered so far. */
  get sizeBytes(): number {
    return this.#buffer.length;
  }

  get ageMs(): number {
    return performance.now() - this.#startMs;
  }

  /** True if the page is rendered, and all of its readers are slow. */
  isSlow(maxMs: number): boolean {
    return this.#isReady && [...this.#readers].every((reader) => reader.isSlow(maxMs));
  }

  /** Ends all responses. */
  cutOff(): void {
    for (const reader of this.#readers) {
      this.release(reader);
      reader.cutOff();
    }
  }

  get gzipped(): Promise<Page> {
    this.#gzipped ??= this.identity.then(compress);
    return this.#gzipped;
  }

  acquire(reader: PageReader): void {
    this.#readers.add(reader);
  }

  release(reader: PageReader): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0 || this.#isReleased) return;
    this.#isReleased = true;
    this.#release();
  }
}

/** A fast reader accepts a whole page without a pause, so this lets other work run between chunks. */
export async function* inTurns({ chunks }: Page, reader: PageReader): AsyncGenerator<Buffer> {
  for (const [i, chunk] of chunks.entries()) {
    reader.progressed();
    if (i % CHUNKS_A_TURN === CHUNKS_A_TURN - 1) await nextTurn();
    yield chunk;
  }
}

/** Runs in zlib's threads. Level 1 is five times faster than the default, and the result a few percent larger. */
async function compress(page: Page): Promise<Page> {
  const chunks: Buffer[] = [];
  let length = 0;
  const gzip = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: GZIP_CHUNK_BYTES });
  await pipeline(page.chunks, gzip, async (compressed: AsyncIterable<Buffer>) => {
    for await (const chunk of compressed) {
      chunks.push(chunk);
      length += chunk.length;
    }
  });
  return { chunks, length };
}
