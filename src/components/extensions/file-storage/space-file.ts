import { closeSync, openSync, statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { sqlite } from './sqlite.ts';

export interface SpaceFileOptions {
  /** If true, each write waits for the disk. */
  readonly fsync: boolean;
  readonly maxBytes: number;
}

/** Distinguishes siphon's files from other SQLite databases: "siph". */
const APPLICATION_ID = 0x73697068;
const FORMAT_VERSION = 1;
const PAGE_BYTES = 4096;
/** The size to which the log is cut back after a large write. */
const LOG_BYTES = 16 * 1024 * 1024;

/**
 * One SQLite database of keys and values, locked exclusively. Every method may throw an error of SQLite or the system;
 * then nothing has changed. Synchronous: 2,000 keys take a few milliseconds.
 */
export class SpaceFile {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #get: StatementSync;
  readonly #set: StatementSync;
  readonly #delete: StatementSync;

  constructor(path: string, options: SpaceFileOptions) {
    // By default SQLite's files are readable for others. The log gets the same permissions.
    closeSync(openSync(path, 'a', 0o600));
    this.#path = path;
    this.#database = new (sqlite().DatabaseSync)(path);
    try {
      this.#prepareFile(options);
      // It may be what a process left that had no room.
      this.#cutLog();
      this.#get = this.#database.prepare('select value from entries where key = ?');
      this.#set = this.#database.prepare(
        'insert into entries values (?, ?) on conflict (key) do update set value = excluded.value',
      );
      this.#delete = this.#database.prepare('delete from entries where key = ?');
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /** The size on disk, with the log, and the part of the database that contains data. */
  get sizes(): { readonly fileBytes: number; readonly usedBytes: number } {
    return {
      fileBytes: sizeOf(this.#path) + sizeOf(`${this.#path}-wal`),
      usedBytes: (this.#number('page_count') - this.#number('freelist_count')) * PAGE_BYTES,
    };
  }

  get(keys: readonly string[]): ReadonlyMap<string, Uint8Array> {
    const found = new Map<string, Uint8Array>();
    for (const key of keys) {
      const row = this.#get.get(bytesOf(key));
      if (row !== undefined) found.set(key, row['value'] as Uint8Array);
    }
    return found;
  }

  write(changes: ReadonlyMap<string, Uint8Array | undefined>): void {
    this.#inOneStep(() => {
      for (const [key, value] of changes) {
        if (value === undefined) this.#delete.run(bytesOf(key));
        else this.#set.run(bytesOf(key), value);
      }
    });
  }

  clear(prefix: string): void {
    const from = bytesOf(prefix);
    // This byte never occurs in UTF-8, so every longer key sorts before it.
    const to = Buffer.concat([from, Buffer.from([0xff])]);
    this.#inOneStep(() => this.#database.prepare('delete from entries where key >= ? and key < ?').run(from, to));
    // Pages of the log that are empty now would still be copied into the file, for which a full disk has no room.
    if (prefix === '') this.compact();
  }

  /** Returns empty pages to the file system. */
  compact(): void {
    this.#database.exec('vacuum');
    this.#database.exec('pragma wal_checkpoint(truncate)');
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #prepareFile({ fsync, maxBytes }: SpaceFileOptions): void {
    // Exclusive from the first access: a second process is refused and shares no memory.
    this.#database.exec(`pragma locking_mode = exclusive; pragma page_size = ${PAGE_BYTES}; pragma journal_mode = wal;
pragma synchronous = ${fsync ? 'full' : 'normal'}; pragma journal_size_limit = ${LOG_BYTES};
pragma max_page_count = ${Math.ceil(maxBytes / PAGE_BYTES)};`);
    const [problem] = Object.values(this.#database.prepare('pragma quick_check(1)').get() ?? {});
    if (problem !== 'ok') throw corrupt(String(problem));
    if (this.#number('application_id') === 0) this.#create();
    const version = this.#number('user_version');
    if (this.#number('application_id') !== APPLICATION_ID || version !== FORMAT_VERSION)
      throw new Error(
        `is not a storage file of this version of siphon (format ${version} instead of ${FORMAT_VERSION})`,
      );
  }

  #create(): void {
    this.#inOneStep(() =>
      this.#database.exec(`create table entries (key blob primary key, value blob not null) strict, without rowid;
pragma application_id = ${APPLICATION_ID}; pragma user_version = ${FORMAT_VERSION};`),
    );
  }

  #inOneStep(work: () => void): void {
    this.#database.exec('begin immediate');
    try {
      work();
      this.#database.exec('commit');
    } catch (error) {
      // Some errors have already ended the transaction.
      if (this.#database.isTransaction) this.#database.exec('rollback');
      this.#cutLog();
      throw error;
    }
  }

  /** Gives back what a transaction has written that did not end. On a full disk, what is valid may have to stay in the log. */
  #cutLog(): void {
    try {
      this.#database.exec('pragma wal_checkpoint(truncate)');
    } catch {
      // The next one tries it again.
    }
  }

  #number(pragma: string): number {
    return Number(this.#database.prepare(`pragma ${pragma}`).get()?.[pragma]);
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function bytesOf(key: string): Buffer {
  return Buffer.from(key, 'utf8');
}

/** The same error as SQLite's own. */
function corrupt(message: string): Error {
  return Object.assign(new Error(message), { errcode: 11 });
}
