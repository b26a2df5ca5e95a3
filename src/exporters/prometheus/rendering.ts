import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { PageBuffer } from './page-buffer.ts';

const compress = promisify(gzip);

/** One page and the answers that are made of it. Its buffer is given back when the last of them is sent. */
export class Rendering {
  readonly plain: Promise<Buffer>;
  readonly #release: () => void;
  #users = 0;
  #gzipped: Promise<Buffer> | undefined;

  constructor(buffer: PageBuffer, render: Promise<void>, release: () => void) {
    this.plain = render.then(() => buffer.written);
    this.#release = release;
  }

  /** In zlib's own threads; level 1 is five times faster than the default and a few per cent larger. */
  get gzipped(): Promise<Buffer> {
    this.#gzipped ??= this.plain.then((page) => compress(page, { level: 1 }));
    return this.#gzipped;
  }

  acquire(): void {
    this.#users++;
  }

  release(): void {
    if (--this.#users === 0) this.#release();
  }
}
