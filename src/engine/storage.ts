import * as v from 'valibot';
import type { storageFailures } from '../metrics/reasons.ts';
import type { Component, ComponentKind, Host } from './component.ts';
import { ExtensionReference, referredExtension } from './extension-reference.ts';

/** What keeps small things across restarts. Extensions implement it, other components name one of them under `storage`. */
export interface Storage {
  /**
   * A space of its own for one component; whoever asks for the same space gets the same content. Opened on demand,
   * closed with the extension.
   *
   * @throws StorageError if the space cannot be opened.
   */
  space(owner: StorageOwner): Promise<StorageSpace>;
}

export interface StorageOwner {
  readonly kind: ComponentKind;
  readonly id: string;
  /** Tells several spaces of one component apart. */
  readonly name?: string;
}

/** Values by key. Values are the caller's bytes; the space keeps copies. */
export interface StorageSpace {
  /** Those of the keys that there are. @throws StorageError */
  get(keys: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>;

  /**
   * Sets each key, or removes it where the value is undefined. All of it in one step: after a crash at any moment
   * either every change is there or none. Resolves when they would survive the end of the process.
   *
   * @throws StorageError, and then nothing has changed.
   */
  write(changes: ReadonlyMap<string, Uint8Array | undefined>): Promise<void>;

  /** Forgets every key that begins with the prefix, in one step. @throws StorageError */
  clear(prefix: string): Promise<void>;
}

/** Why something could not be kept. After `corrupt` the space is usable again, and empty. */
export type StorageFailure = (typeof storageFailures)[number];

export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly reason: StorageFailure;

  constructor(reason: StorageFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** The key `storage` of a component: the id of an extension. */
export const storageSchema = v.pipe(
  v.string('must be the id of a storage extension, for example file_storage'),
  v.transform((id) => new ExtensionReference(id, 'storage')),
);

/**
 * The running storage that a component's key `storage` names.
 *
 * @throws Error that names the extension, if it does not run or is no storage.
 */
export function storageOf(host: Host, reference: ExtensionReference): Storage {
  return referredExtension<Storage>(host, reference, 'storage', isStorage);
}

function isStorage(extension: Component): extension is Component & Storage {
  return 'space' in extension;
}
