import { StorageError, type Storage, type StorageOwner, type StorageSpace } from './storage.ts';

/** Keeps values in memory, for components without `storage`. */
export class MemoryStorage implements Storage {
  readonly #spaces = new Map<string, MemorySpace>();
  #closed = false;

  space({ kind, id, name = '' }: StorageOwner): Promise<StorageSpace> {
    const key = JSON.stringify([kind, id, name]);
    const space = this.#spaces.get(key) ?? new MemorySpace(() => this.#closed);
    this.#spaces.set(key, space);
    return Promise.resolve(space);
  }

  /** Removes everything. Its spaces reject all further calls. */
  close(): void {
    this.#closed = true;
    this.#spaces.clear();
  }
}

class MemorySpace implements StorageSpace {
  readonly #isClosed: () => boolean;
  readonly #values = new Map<string, Uint8Array>();

  constructor(isClosed: () => boolean) {
    this.#isClosed = isClosed;
  }

  async get(keys: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    this.#assertOpen();
    const found = new Map<string, Uint8Array>();
    for (const key of keys) {
      const value = this.#values.get(key);
      if (value !== undefined) found.set(key, value.slice());
    }
    return found;
  }

  async write(changes: ReadonlyMap<string, Uint8Array | undefined>): Promise<void> {
    this.#assertOpen();
    for (const [key, value] of changes) {
      if (value === undefined) this.#values.delete(key);
      else this.#values.set(key, value.slice());
    }
  }

  async clear(prefix: string): Promise<void> {
    this.#assertOpen();
    for (const key of this.#values.keys()) if (key.startsWith(prefix)) this.#values.delete(key);
  }

  #assertOpen(): void {
    if (this.#isClosed()) throw new StorageError('closed', 'the storage is closed');
  }
}
