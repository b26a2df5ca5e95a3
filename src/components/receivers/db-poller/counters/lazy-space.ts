import type { StorageSpace } from '../../../../engine/storage.ts';

/** A storage space that is opened on first use. A failed attempt to open it is repeated on the next use. */
export class LazySpace implements StorageSpace {
  readonly #open: () => Promise<StorageSpace>;
  #space: Promise<StorageSpace> | undefined;

  constructor(open: () => Promise<StorageSpace>) {
    this.#open = open;
  }

  async get(keys: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    return await (await this.#opened()).get(keys);
  }

  async write(changes: ReadonlyMap<string, Uint8Array | undefined>): Promise<void> {
    await (await this.#opened()).write(changes);
  }

  async clear(prefix: string): Promise<void> {
    await (await this.#opened()).clear(prefix);
  }

  async #opened(): Promise<StorageSpace> {
    this.#space ??= this.#open();
    try {
      return await this.#space;
    } catch (error) {
      this.#space = undefined;
      throw error;
    }
  }
}
