import { existsSync, renameSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { StorageError, type StorageFailure, type StorageSpace } from '../../../engine/storage.ts';
import { SpaceFile, type SpaceFileOptions } from './space-file.ts';
import { failureOf } from './sqlite.ts';

export interface FileSpaceOptions extends SpaceFileOptions {
  /** How long to wait for another process to release the file. */
  readonly timeoutMs: number;
  /** If true, a corrupt file is renamed and replaced by a new one. */
  readonly recreate: boolean;
}

export interface SpaceReport {
  failed(failure: StorageFailure): void;
  setAside(file: { path: string; to: string; err: unknown }): void;
}

const LOCK_RETRY_MS = 50;

/** A space in its own file, which is open until `close`. */
export class FileSpace implements StorageSpace {
  readonly #path: string;
  readonly #options: FileSpaceOptions;
  readonly #report: SpaceReport;
  #file: SpaceFile | undefined;
  #closed = false;

  constructor(path: string, options: FileSpaceOptions, report: SpaceReport) {
    this.#path = path;
    this.#options = options;
    this.#report = report;
  }

  /** @throws StorageError if the file cannot be opened. */
  async open(): Promise<void> {
    const giveUpAt = performance.now() + this.#options.timeoutMs;
    for (let setAside = false; ;) {
      try {
        this.#attempt(() => this.#opened());
        return;
      } catch (error) {
        const { reason } = error as StorageError;
        const isWorthAnother =
          reason === 'locked'
            ? performance.now() < giveUpAt
            : reason === 'corrupt' && this.#options.recreate && !setAside;
        if (reason !== 'locked' || !isWorthAnother) this.#report.failed(reason);
        if (!isWorthAnother) throw error;
        setAside ||= reason === 'corrupt';
      }
      await delay(LOCK_RETRY_MS);
    }
  }

  async get(keys: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.#do((file) => file.get(keys));
  }

  async write(changes: ReadonlyMap<string, Uint8Array | undefined>): Promise<void> {
    this.#do((file) => file.write(changes));
  }

  async clear(prefix: string): Promise<void> {
    this.#do((file) => file.clear(prefix));
  }

  /** Undefined while the file cannot be read. */
  sizes(): SpaceFile['sizes'] | undefined {
    try {
      return this.#file?.sizes;
    } catch {
      return undefined;
    }
  }

  /** @throws StorageError */
  compact(): void {
    this.#do((file) => file.compact());
  }

  close(): void {
    this.#closed = true;
    this.#release();
  }

  #do<Result>(work: (file: SpaceFile) => Result): Result {
    try {
      return this.#attempt(() => work(this.#opened()));
    } catch (error) {
      this.#report.failed((error as StorageError).reason);
      throw error;
    }
  }

  /** The open file. After a corrupt one was renamed, the new one. */
  #opened(): SpaceFile {
    if (this.#closed) throw new StorageError('closed', `${this.#path}: the storage is closed`);
    this.#file ??= new SpaceFile(this.#path, this.#options);
    return this.#file;
  }

  /** Throws every error as a StorageError. */
  #attempt<Result>(work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw error instanceof StorageError ? error : this.#failure(error as Error);
    }
  }

  #failure(cause: Error): StorageError {
    const reason = failureOf(cause);
    if (reason !== 'corrupt') return storageError(reason, this.#path, cause);
    this.#release();
    if (!this.#options.recreate) return storageError(reason, this.#path, cause);
    try {
      this.#setAside(cause);
    } catch (error) {
      return storageError('unwritable', this.#path, error as Error);
    }
    return storageError(reason, this.#path, cause);
  }

  /** Renames the file. It is not deleted, because it may still be readable in part. */
  #setAside(err: unknown): void {
    const to = `${this.#path}.corrupt-${new Date().toISOString().replaceAll(':', '-')}`;
    for (const log of ['', '-wal']) if (existsSync(this.#path + log)) renameSync(this.#path + log, to + log);
    this.#report.setAside({ path: this.#path, to, err });
  }

  #release(): void {
    const file = this.#file;
    this.#file = undefined;
    try {
      file?.close();
    } catch {
      // Data that could not be written at the end remains in the log next to the file. The next start reads it.
    }
  }
}

function storageError(reason: StorageFailure, path: string, cause: Error): StorageError {
  return new StorageError(reason, `${path}: ${advice[reason] ?? 'failed'}: ${cause.message}`, { cause });
}

const advice: Partial<Record<StorageFailure, string>> = {
  full: 'there is no room; free the disk, or raise max_size_mib',
  corrupt: 'the file is corrupt',
  unwritable: 'the file cannot be written; check the owner and permissions of the directory and its files',
  locked: 'another process uses the file; give every siphon a directory of its own',
};
