import { createHash } from 'node:crypto';
import type { StorageSpace } from '../../../engine/storage.ts';
import type { QueryConfig } from './config.ts';

/** The position up to which a query has been read, in its storage. */
export class Tracking {
  readonly #space: () => Promise<StorageSpace>;
  readonly #key: string;
  readonly #startValue: string;
  #value: string | undefined;
  #isSaved = true;

  constructor(space: () => Promise<StorageSpace>, query: QueryConfig) {
    this.#space = space;
    this.#key = `tracking/${identityOf(query)}`;
    this.#startValue = query.tracking_start_value;
  }

  /** The value of the last row that this process or an earlier one has read. @throws StorageError */
  async value(): Promise<string> {
    if (this.#value === undefined) {
      const space = await this.#space();
      const stored = (await space.get([this.#key])).get(this.#key);
      this.#value = stored === undefined ? this.#startValue : Buffer.from(stored).toString();
    }
    return this.#value;
  }

  /** Takes effect immediately for this process; for the next one, after `save`. */
  moveTo(value: string): void {
    this.#value = value;
    this.#isSaved = false;
  }

  /** @throws StorageError. A second call tries again. */
  async save(): Promise<void> {
    if (this.#isSaved || this.#value === undefined) return;
    const space = await this.#space();
    await space.write(new Map([[this.#key, new TextEncoder().encode(this.#value)]]));
    this.#isSaved = true;
  }
}

/** A query with a name keeps its position when its SQL changes. Without a name, the SQL identifies it. */
function identityOf({ name, sql, tracking_column: column }: QueryConfig): string {
  const query = name ?? createHash('sha256').update(sql).digest('hex');
  return JSON.stringify([query, column]);
}
