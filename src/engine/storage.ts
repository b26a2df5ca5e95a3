import type { storageFailures } from '../metrics/reasons.ts';

/** Keeps small values across restarts. The role `storage` of an extension; components refer to one under `storage`. */
export interface Storage {
  /**
   * The space of one component. Every call with the same owner returns the same content. It is opened on demand and
   * closed with the extension.
   *
   * @throws StorageError if the space cannot be opened.
   */
  space(owner: StorageOwner): Promise<StorageSpace>;
}

/** A storage that is also a place for larger files. */
export interface FileStorage extends Storage {
  /**
   * A directory for the files of one component, which may not exist yet. No other process gets the same one meanwhile.
   *
   * @throws StorageError if the storage cannot be used.
   */
  directory(owner: StorageOwner): Promise<StorageDirectory>;
}

export interface StorageDirectory {
  readonly directory: string;
  /** The limit for all files together. */
  readonly maxBytes: number;
  /** If true, each write waits for the disk. */
  readonly fsync: boolean;
}

export interface StorageOwner {
  /** The component's kind, for example `receiver`. */
  readonly kind: string;
  readonly id: string;
  /** Distinguishes several spaces of one component. */
  readonly name?: string;
}

/** Values by key. Values are the caller's bytes; the space keeps copies. */
export interface StorageSpace {
  /** The keys that exist, with their values. @throws StorageError */
  get(keys: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>;

  /**
   * Sets each key, or removes it if the value is undefined, as one atomic step: after a crash either all changes exist
   * or none. Resolves when the changes would survive the end of the process.
   *
   * @throws StorageError; then nothing has changed.
   */
  write(changes: ReadonlyMap<string, Uint8Array | undefined>): Promise<void>;

  /** Removes every key with the prefix, as one atomic step. @throws StorageError */
  clear(prefix: string): Promise<void>;
}

/** Why a value could not be stored. After `corrupt` the space is empty and can still be used. */
export type StorageFailure = (typeof storageFailures)[number];

export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly reason: StorageFailure;

  constructor(reason: StorageFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
