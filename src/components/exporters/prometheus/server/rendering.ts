import { setImmediate as nextTurn } from 'node:timers/promises';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip } from 'node:zlib';
import type { Page, PageBuffer } from '../page/page-buffer.ts';

const GZIP_CHUNK_BYTES = 64 * 1024;
const CHUNKS_A_TURN = 4;

/** One page, shared by several responses. Its buffer is released when the last response is sent. */
export class Rendering {
  readonly identity: Promise<Page>;
  readonly #release: () => void;
  #users = 0;
  #gzipped: Promise<Page> | undefined;

  constructor(buffer: PageBuffer, render: Promise<void>, release: () => void) {
    this.identity = render.then(() => buffer.page);
    this.#release = release;
  }

  get gzipped(): Promise<Page> {
    this.#gzipped ??= this.identity.then(compress);
    return this.#gzipped;
  }

  acquire(): void {
    this.#users++;
  }

  release(): void {
    if (--this.#users === 0) this.#release();
  }
}

/** A fast reader accepts a whole page without a pause, so this lets other work run between chunks. */
export async function* inTurns({ chunks }: Page): AsyncGenerator<Buffer> {
  for (const [i, chunk] of chunks.entries()) {
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
