import type { StorageSpace } from '../../../../engine/storage.ts';

/** Remembers which events of which keys have been counted: one bit for each event. */
export class CountedKeys {
  readonly #space: StorageSpace;
  readonly #prefix: string;

  /** @param prefix of the keys under which it is kept. */
  constructor(space: StorageSpace, prefix: string) {
    this.#space = space;
    this.#prefix = prefix;
  }

  /** Zero for a key of which nothing was counted. @throws StorageError */
  async eventsOf(keys: readonly string[]): Promise<(key: string) => number> {
    const found = await this.#space.get(keys.map((key) => this.#place(key)));
    return (key) => found.get(this.#place(key))?.[0] ?? 0;
  }

  /** What has to be written so that these are remembered. */
  changes(events: Iterable<readonly [key: string, events: number]>): Map<string, Uint8Array> {
    return new Map([...events].map(([key, bits]) => [this.#place(key), new Uint8Array([bits])]));
  }

  /** @throws StorageError */
  async forgetAll(): Promise<void> {
    await this.#space.clear(this.#prefix);
  }

  #place(key: string): string {
    return `${this.#prefix}${key}`;
  }
}
