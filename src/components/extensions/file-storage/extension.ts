import path from 'node:path';
import { Incident } from '../../../engine/incident.ts';
import type { Component, ComponentSettings, Host } from '../../../engine/component.ts';
import {
  StorageError,
  type FileStorage,
  type StorageOwner,
  type StorageDirectory,
  type StorageSpace,
} from '../../../engine/storage.ts';
import { StorageMetrics } from './storage-metrics.ts';
import { checkDirectory } from './directory.ts';
import { reportIdleKeys } from '../../../engine/net/idle-keys.ts';
import { idleKeys, type CompactionConfig, type FileStorageConfig } from './config.ts';
import { fileNameOf } from './file-name.ts';
import { FileSpace } from './file-space.ts';

const BYTES_PER_MIB = 1024 * 1024;

/** Keeps the spaces of components in a directory, each in an SQLite file. */
export class FileStorageExtension implements Component, FileStorage {
  readonly #settings: ComponentSettings;
  readonly #config: FileStorageConfig;
  readonly #metrics: StorageMetrics;
  readonly #spaces = new Map<string, FileSpace>();
  readonly #opening = new Map<string, Promise<FileSpace>>();
  #state: 'new' | 'running' | 'closed' = 'new';
  #compaction: NodeJS.Timeout | undefined;
  #host: Host | undefined;
  #isUsable = false;
  readonly #directory: Incident;

  constructor(settings: ComponentSettings, config: FileStorageConfig) {
    this.#settings = settings;
    this.#config = config;
    this.#metrics = new StorageMetrics(settings.metrics, this.#spaces);
    this.#directory = new Incident(settings.logger, {
      failing: 'The storage directory cannot be used; components that keep data there wait for it',
      recovered: 'The storage directory can be used',
    });
  }

  /** An unusable directory stops neither this nor other components: those that need it fail until it can be used. */
  async start(host: Host): Promise<void> {
    this.#host = host;
    this.#state = 'running';
    reportIdleKeys(this.#settings.logger, idleKeys(this.#config));
    await this.#checkDirectory().catch(() => undefined);
    const { on_rebound, check_interval } = this.#config.compaction;
    if (on_rebound) this.#compaction = setInterval(() => this.#compactRebounded(), check_interval).unref();
  }

  async shutdown(): Promise<void> {
    this.#state = 'closed';
    clearInterval(this.#compaction);
    for (const space of this.#spaces.values()) space.close();
    this.#spaces.clear();
  }

  async space(owner: StorageOwner): Promise<StorageSpace> {
    if (this.#state !== 'running') throw new StorageError('closed', 'the storage is not running');
    const file = fileNameOf(owner);
    const opening = this.#opening.get(file) ?? this.#open(file);
    this.#opening.set(file, opening);
    try {
      return await opening;
    } catch (error) {
      // The next call tries again.
      this.#opening.delete(file);
      throw error;
    }
  }

  async directory(owner: StorageOwner): Promise<StorageDirectory> {
    // The lock of the space protects the directory, too.
    await this.space(owner);
    const { directory, max_size_mib, fsync } = this.#config;
    const name = fileNameOf(owner).replace(/\.sqlite$/, '.queue');
    return { directory: path.join(directory, name), maxBytes: max_size_mib * BYTES_PER_MIB, fsync };
  }

  /** @throws StorageError with a fix, which health checks show until the directory can be used. */
  async #checkDirectory(): Promise<void> {
    if (this.#isUsable) return;
    try {
      await checkDirectory(this.#config);
    } catch (cause) {
      const { message } = cause as Error;
      this.#directory.failed(cause);
      this.#host?.reportDegraded(this, `extensions::${this.#settings.id}: ${message}`);
      throw new StorageError('unwritable', message, { cause });
    }
    this.#isUsable = true;
    this.#directory.succeeded();
    this.#host?.reportDegraded(this, undefined);
  }

  async #open(file: string): Promise<FileSpace> {
    try {
      await this.#checkDirectory();
    } catch (error) {
      this.#metrics.declare(file);
      this.#metrics.failed(file, 'unwritable');
      throw error;
    }
    const { fsync, max_size_mib, recreate, timeout, compaction } = this.#config;
    const options = { fsync, maxBytes: max_size_mib * BYTES_PER_MIB, recreate, timeoutMs: timeout };
    const space = new FileSpace(path.join(this.#config.directory, file), options, {
      failed: (reason) => this.#metrics.failed(file, reason),
      setAside: (what) => this.#setAside(file, what),
    });
    this.#metrics.declare(file);
    await space.open();
    if (compaction.on_start) this.#compact(file, space);
    this.#spaces.set(file, space);
    // The extension was stopped meanwhile and did not close this space.
    if (this.#state !== 'running') space.close();
    return space;
  }

  #setAside(file: string, { path: corruptFile, to, err }: { path: string; to: string; err: unknown }): void {
    this.#metrics.setAside(file);
    this.#settings.logger.error(
      { file: corruptFile, setAsideAs: to, err },
      'Storage file is corrupt; it was renamed, and an empty one was created',
    );
  }

  #compactRebounded(): void {
    for (const [file, space] of this.#spaces) {
      const sizes = space.sizes();
      if (sizes !== undefined && hasRebounded(sizes, this.#config.compaction)) this.#compact(file, space);
    }
  }

  #compact(file: string, space: FileSpace): void {
    try {
      space.compact();
    } catch (err) {
      this.#settings.logger.warn({ file, err }, 'Storage file could not be compacted');
    }
  }
}

/** True if a file that had grown large contains little data now. */
function hasRebounded(sizes: { fileBytes: number; usedBytes: number }, config: CompactionConfig): boolean {
  return (
    sizes.fileBytes >= config.rebound_needed_threshold_mib * BYTES_PER_MIB &&
    sizes.usedBytes <= config.rebound_trigger_threshold_mib * BYTES_PER_MIB
  );
}
