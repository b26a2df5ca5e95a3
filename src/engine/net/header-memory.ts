import type { EventEmitter } from 'node:events';

/** The headers of a request. */
interface Head {
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  readonly url?: string | undefined;
}

/** A text on V8's heap, and its place in a list. */
const TEXT_BYTES = 32;
/** Headers below this are not limited together, because the number of connections is. */
const USUAL_BYTES = 16 * 1024;
/** An older request makes room for a new one. */
const PATIENCE_MS = 1000;

/** The memory that the headers of a request use until its end. */
export function headBytes({ rawHeaders, url = '' }: Head): number {
  let bytes = url.length;
  for (const text of rawHeaders) bytes += text.length + TEXT_BYTES;
  return bytes;
}

interface Held {
  readonly bytes: number;
  readonly startMs: number;
  readonly cutOff: () => void;
}

/** Limits the memory of unusually large headers of all requests in progress. Without room, the oldest one is cut off. */
export class HeaderMemory {
  readonly #maxBytes: number;
  /** The oldest first. */
  readonly #held = new Set<Held>();
  #usedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Counts the headers until all these sides of the exchange are closed.
   *
   * @param cutOff closes them.
   * @returns false if there is no room. Then the headers are not counted.
   */
  take(head: Head, sides: readonly EventEmitter[], cutOff: () => void): boolean {
    const bytes = headBytes(head);
    if (bytes <= USUAL_BYTES) return true;
    if (!this.#hasRoomFor(bytes)) this.#cutOffOldest();
    if (!this.#hasRoomFor(bytes)) return false;
    const held = { bytes, startMs: performance.now(), cutOff };
    this.#held.add(held);
    this.#usedBytes += bytes;
    let open = sides.length;
    for (const side of sides) side.once('close', () => --open === 0 && this.#release(held));
    return true;
  }

  #hasRoomFor(bytes: number): boolean {
    return this.#usedBytes + bytes <= this.#maxBytes;
  }

  #cutOffOldest(): void {
    const startedBefore = performance.now() - PATIENCE_MS;
    for (const held of this.#held) {
      if (held.startMs > startedBefore) return;
      this.#release(held);
      held.cutOff();
      if (this.#usedBytes <= this.#maxBytes / 2) return;
    }
  }

  #release(held: Held): void {
    if (this.#held.delete(held)) this.#usedBytes -= held.bytes;
  }
}

/** For all HTTP servers of the process. */
export const headerMemory = new HeaderMemory(16 * 1024 * 1024);
