import { PageBuffer } from '../page/page-buffer.ts';
import { Rendering } from './rendering.ts';

/** Maximum number of pages in memory at the same time, for slow readers. */
const MAX_PAGES = 4;
const MAX_BYTES = 256 * 1024 * 1024;
/** At most this part of the container's memory. */
const MEMORY_SHARE = 1 / 8;
/** If no other page fits, a reader gets one of this age. A slower reader is cut off for a new one. */
const MAX_AGE_MS = 10_000;

/**
 * The pages that are rendered or sent. Scrapes that arrive while a page is rendered share it. If readers hold all pages,
 * a later reader cuts off the slowest page, or shares the newest one.
 */
export class Pages {
  readonly #maxBytes: number;
  readonly #inProgress = new Map<string, Rendering>();
  /** The oldest first. */
  readonly #pages = new Set<Rendering>();
  #spare: PageBuffer | undefined;
  #lastBytes = 0;

  /** @param maxBytes the memory of all pages, unless a single one is larger. */
  constructor(maxBytes = Math.min(MAX_BYTES, (process.constrainedMemory() || Infinity) * MEMORY_SHARE)) {
    this.#maxBytes = maxBytes;
  }

  /** A page in this format; undefined if readers hold all pages. Acquire it immediately. */
  get(format: string, render: (target: PageBuffer) => Promise<void>): Rendering | undefined {
    const current = this.#inProgress.get(format);
    if (current !== undefined) return current;
    if (!this.#hasRoom) this.#cutOffSlowest();
    return this.#hasRoom ? this.#render(format, render) : this.#newest(format);
  }

  /** A page is probably as large as the last one. The only page always has room. */
  get #hasRoom(): boolean {
    if (this.#pages.size === 0) return true;
    let bytes = this.#lastBytes;
    for (const { sizeBytes } of this.#pages) bytes += Math.max(sizeBytes, this.#lastBytes);
    return this.#pages.size < MAX_PAGES && bytes <= this.#maxBytes;
  }

  #render(format: string, render: (target: PageBuffer) => Promise<void>): Rendering {
    const buffer = this.#spare ?? new PageBuffer();
    this.#spare = undefined;
    buffer.clear();
    const rendered = render(buffer).finally(() => {
      this.#inProgress.delete(format);
      this.#lastBytes = buffer.length;
    });
    const rendering = new Rendering(format, { buffer, rendered }, () => {
      this.#pages.delete(rendering);
      this.#spare = buffer;
    });
    this.#inProgress.set(format, rendering);
    this.#pages.add(rendering);
    return rendering;
  }

  /** The readers that hold the longest page without need. Pages with a reader that makes progress stay. */
  #cutOffSlowest(): void {
    for (const page of this.#pages) {
      if (!page.isSlow(MAX_AGE_MS)) continue;
      page.cutOff();
      return;
    }
  }

  #newest(format: string): Rendering | undefined {
    const fitting = [...this.#pages].filter((page) => page.format === format && page.ageMs <= MAX_AGE_MS);
    return fitting.at(-1);
  }
}
