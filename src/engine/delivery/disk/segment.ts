import { constants, writev } from 'node:fs';
import { open, rm, type FileHandle } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import {
  decodeHeader,
  encodeHeader,
  findHeader,
  HEADER_BYTES,
  isIntact,
  type RecordHeader,
  type RecordSize,
} from './record.ts';

/** The contents of a segment, or a part of it. */
export interface Amount extends RecordSize {
  readonly records: number;
}

export const NOTHING: Amount = { records: 0, items: 0, ledgerItems: 0 };

export function plus(a: Amount, b: Amount): Amount {
  return { records: a.records + b.records, items: a.items + b.items, ledgerItems: a.ledgerItems + b.ledgerItems };
}

export function minus(a: Amount, b: Amount): Amount {
  return { records: a.records - b.records, items: a.items - b.items, ledgerItems: a.ledgerItems - b.ledgerItems };
}

/** A record whose turn has come: the item itself if it is still in memory, otherwise its bytes. */
export interface StoredRecord<Item> {
  readonly offset: number;
  readonly amount: Amount;
  readonly content: { readonly item: Item } | { readonly payload: Buffer };
}

/** A part of the file that is not a record. */
export interface CorruptPart {
  readonly bytes: Buffer;
  /** Undefined if its header cannot be read. */
  readonly amount: Amount | undefined;
}

export type ReadResult<Item> = StoredRecord<Item> | CorruptPart | undefined;

const writeChunks = promisify(writev);

/** The size of an entry in the file of finished records: the offset, the items, the items in the ledger, and a CRC-32. */
const FINISHED_BYTES = 16;
/** How long a note waits for others. Each write costs more CPU time than what it writes. */
const NOTE_DELAY_MS = 100;
/** The unit in which a segment is read. */
const WINDOW_BYTES = 256 * 1024;
/** The limit for the items that are kept in memory, so that they need not be read while the backend keeps up. */
const MAX_RECENT_BYTES = 4 * 1024 * 1024;
const READ_AND_WRITE = constants.O_RDWR | constants.O_CREAT;

/**
 * A file of records that are written and read in order, and a second file with the offsets of those that are finished.
 * A segment that exists when the process starts is only read. Memory does not depend on the number of records that wait.
 */
export class Segment<Item> {
  /** Records that were written and are not finished. */
  waiting: Amount = NOTHING;
  /** The size of the file. Only complete records count. */
  sizeBytes = 0;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #finishedFile: FileHandle;
  /** The offsets of records that an earlier process has finished. */
  readonly #finishedBefore = new Set<number>();
  /** Items that were written and not read yet, by the offset of their records. */
  readonly #recent = new Map<number, { readonly item: Item; readonly amount: Amount; readonly end: number }>();
  #recentBytes = 0;
  #readOffset = 0;
  #finishedSize = 0;
  /** Entries for the file of finished records that are not written yet. */
  readonly #entries: Buffer[] = [];
  /** Ends when all earlier entries are written. */
  #noting: Promise<void> = Promise.resolve();
  /** The write of the next entries, until it begins. */
  #nextNote: Promise<void> | undefined;
  /** Resolves when the next entries must not wait for more. */
  #noteNow = Promise.withResolvers<void>();
  /** Bytes of the file that were read and may be needed next. */
  #window: { readonly offset: number; readonly bytes: Buffer } = { offset: 0, bytes: Buffer.alloc(0) };

  private constructor(path: string, file: FileHandle, finishedFile: FileHandle) {
    this.#path = path;
    this.#file = file;
    this.#finishedFile = finishedFile;
  }

  static async create<Item>(path: string): Promise<Segment<Item>> {
    const file = await open(path, 'wx+', 0o600);
    try {
      // A process that ended while it removed a segment of this name may have left the notes.
      const notes = await open(finishedPath(path), READ_AND_WRITE | constants.O_TRUNC, 0o600);
      return new Segment<Item>(path, file, notes);
    } catch (error) {
      await file.close();
      await rm(path, { force: true });
      throw error;
    }
  }

  /** Opens the segment of an earlier process and counts what waits in it. A record that was cut off was not accepted. */
  static async open<Item>(path: string): Promise<Segment<Item>> {
    const file = await open(path, 'r');
    try {
      const segment = new Segment<Item>(path, file, await open(finishedPath(path), READ_AND_WRITE, 0o600));
      await segment.#count();
      return segment;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** True if everything that was written was also read. */
  get isRead(): boolean {
    return this.#readOffset >= this.sizeBytes;
  }

  /** Appends records with one write. @throws Error of the system; then the segment has not changed. */
  async append(records: readonly Appending<Item>[], { fsync, isReadSoon }: AppendOptions): Promise<void> {
    const chunks = records.flatMap(({ payload, size }) => [encodeHeader(payload, size), ...payload]);
    try {
      await writeAll(this.#file, chunks, this.sizeBytes);
      if (fsync) await this.#file.datasync();
    } catch (error) {
      await this.#file.truncate(this.sizeBytes).catch(() => undefined);
      throw error;
    }
    for (const record of records) this.#appended(record, isReadSoon);
  }

  #appended({ item, payload, size }: Appending<Item>, isReadSoon: boolean): void {
    const offset = this.sizeBytes;
    const amount = { records: 1, ...size };
    this.sizeBytes += HEADER_BYTES + bytesOf(payload);
    this.waiting = plus(this.waiting, amount);
    if (!isReadSoon || this.#recentBytes + this.sizeBytes - offset > MAX_RECENT_BYTES) return;
    this.#recentBytes += this.sizeBytes - offset;
    this.#recent.set(offset, { item, amount, end: this.sizeBytes });
  }

  /** The next record that is not finished, or the next corrupt part. Undefined at the end. */
  async read(): Promise<ReadResult<Item>> {
    while (!this.isRead) {
      const found = this.#takeRecent(this.#readOffset) ?? (await this.#readAt(this.#readOffset));
      if (found === undefined) return undefined;
      if (!('offset' in found) || !this.#finishedBefore.delete(found.offset)) return found;
    }
    return undefined;
  }

  /**
   * Notes that a record is sent or dropped, so that it is not read again after a restart. Resolves when this is written:
   * a little later, together with the notes of other records, or when `note` is called.
   */
  async finish({ offset, amount }: StoredRecord<Item>): Promise<void> {
    this.waiting = minus(this.waiting, amount);
    const entry = Buffer.alloc(FINISHED_BYTES);
    entry.writeUInt32LE(offset, 0);
    entry.writeUInt32LE(amount.items, 4);
    entry.writeUInt32LE(amount.ledgerItems, 8);
    entry.writeUInt32LE(crc32(entry.subarray(0, 12)), 12);
    this.#entries.push(entry);
    if (this.#nextNote === undefined) {
      this.#nextNote = this.#noteAfter(this.#noting);
      this.#noting = this.#nextNote.catch(() => undefined);
    }
    await this.#nextNote;
  }

  /** Writes the notes of all finished records without waiting for more. */
  note(): void {
    if (this.#nextNote !== undefined) this.#noteNow.resolve();
  }

  /** Writes the entries of all records that are finished by then. After a failure, the next write repeats them. */
  async #noteAfter(before: Promise<void>): Promise<void> {
    const timer = setTimeout(() => this.note(), NOTE_DELAY_MS);
    await this.#noteNow.promise;
    clearTimeout(timer);
    await before;
    this.#noteNow = Promise.withResolvers();
    this.#nextNote = undefined;
    const entries = [...this.#entries];
    await writeAll(this.#finishedFile, entries, this.#finishedSize);
    this.#finishedSize += entries.length * FINISHED_BYTES;
    this.#entries.splice(0, entries.length);
  }

  /** Forgets records that cannot be read. */
  discard(amount: Amount): void {
    this.waiting = minus(this.waiting, amount);
  }

  async close(): Promise<void> {
    this.note();
    await this.#noting;
    await Promise.all([this.#file.close(), this.#finishedFile.close()]);
  }

  async remove(): Promise<void> {
    await this.close();
    await rm(this.#path, { force: true });
    await rm(finishedPath(this.#path), { force: true });
  }

  #takeRecent(offset: number): StoredRecord<Item> | undefined {
    const found = this.#recent.get(offset);
    if (found === undefined) return undefined;
    this.#recent.delete(offset);
    this.#recentBytes -= found.end - offset;
    this.#readOffset = found.end;
    return { offset, amount: found.amount, content: { item: found.item } };
  }

  /** Reads one record and advances. */
  async #readAt(offset: number): Promise<ReadResult<Item>> {
    const header = decodeHeader(await this.#bytes(offset, HEADER_BYTES));
    const end = header && offset + HEADER_BYTES + header.payloadBytes;
    if (header !== undefined && end !== undefined && end <= this.sizeBytes) {
      const amount = { records: 1, items: header.items, ledgerItems: header.ledgerItems };
      const record = await this.#bytes(offset, end - offset);
      if (isIntact(record, header)) {
        this.#readOffset = end;
        return { offset, amount, content: { payload: record.subarray(HEADER_BYTES) } };
      }
      if (await this.#mayEndAt(end)) {
        this.#readOffset = end;
        return { bytes: record, amount };
      }
    }
    const next = await this.#findHeader(offset + 1);
    this.#readOffset = next;
    // The process ended while it wrote the last record: it was not accepted.
    const isCutOff = next === this.sizeBytes && (header !== undefined || next - offset < HEADER_BYTES);
    return isCutOff ? undefined : { bytes: await this.#bytes(offset, next - offset), amount: undefined };
  }

  /** True if `read` finds this record, intact or corrupt. */
  async #isRecord(offset: number, end: number, header: RecordHeader): Promise<boolean> {
    return (await this.#mayEndAt(end)) || isIntact(await this.#bytes(offset, end - offset), header);
  }

  /** True if a record can end here. If not, its length is wrong. */
  async #mayEndAt(offset: number): Promise<boolean> {
    if (offset === this.sizeBytes) return true;
    if (offset > this.sizeBytes) return false;
    const following = await this.#bytes(offset, HEADER_BYTES);
    return following.length < HEADER_BYTES || decodeHeader(following) !== undefined;
  }

  /** The offset of the next header, or of the end. */
  async #findHeader(from: number): Promise<number> {
    for (let at = from; at < this.sizeBytes; at += WINDOW_BYTES - HEADER_BYTES) {
      // Overlapping, so that a header across two windows is found.
      const bytes = await this.#bytes(at, WINDOW_BYTES);
      for (let found = findHeader(bytes, 0); found >= 0; found = findHeader(bytes, found + 1)) {
        const header = decodeHeader(bytes.subarray(found, found + HEADER_BYTES));
        if (header !== undefined && at + found + HEADER_BYTES + header.payloadBytes <= this.sizeBytes)
          return at + found;
      }
    }
    return this.sizeBytes;
  }

  async #count(): Promise<void> {
    const finished = await this.#readFinished();
    this.sizeBytes = (await this.#file.stat()).size;
    this.waiting = minus(await this.#countRecords(), finished);
  }

  async #countRecords(): Promise<Amount> {
    let count = NOTHING;
    for (let offset = 0; offset < this.sizeBytes;) {
      const header = decodeHeader(await this.#bytes(offset, HEADER_BYTES));
      const end = header && offset + HEADER_BYTES + header.payloadBytes;
      if (header !== undefined && end !== undefined && (await this.#isRecord(offset, end, header))) {
        count = plus(count, { records: 1, items: header.items, ledgerItems: header.ledgerItems });
        offset = end;
      } else offset = await this.#findHeader(offset + 1);
    }
    return count;
  }

  async #readFinished(): Promise<Amount> {
    const bytes = await this.#finishedFile.readFile();
    let count = NOTHING;
    const whole = bytes.length - (bytes.length % FINISHED_BYTES);
    for (let at = 0; at < whole; at += FINISHED_BYTES) {
      const offset = bytes.readUInt32LE(at);
      const isIntactEntry = crc32(bytes.subarray(at, at + 12)) === bytes.readUInt32LE(at + 12);
      if (!isIntactEntry || this.#finishedBefore.has(offset)) continue;
      this.#finishedBefore.add(offset);
      const [items, ledgerItems] = [bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at + 8)];
      count = plus(count, { records: 1, items, ledgerItems });
    }
    // An entry that was cut off is written over.
    this.#finishedSize = whole;
    return count;
  }

  /** Fewer bytes at the end of the file. */
  async #bytes(offset: number, length: number): Promise<Buffer> {
    const wanted = Math.max(0, Math.min(length, this.sizeBytes - offset));
    if (wanted > WINDOW_BYTES) return await this.#load(offset, wanted);
    const at = offset - this.#window.offset;
    if (at < 0 || at + wanted > this.#window.bytes.length) {
      this.#window = { offset, bytes: await this.#load(offset, Math.min(WINDOW_BYTES, this.sizeBytes - offset)) };
      return this.#window.bytes.subarray(0, wanted);
    }
    return this.#window.bytes.subarray(at, at + wanted);
  }

  async #load(offset: number, wanted: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(wanted);
    let got = 0;
    while (got < wanted) {
      const { bytesRead } = await this.#file.read(bytes, got, wanted - got, offset + got);
      if (bytesRead === 0) break;
      got += bytesRead;
    }
    return bytes.subarray(0, got);
  }
}

/** An item and its bytes. */
export interface Appending<Item> {
  readonly item: Item;
  readonly payload: readonly Uint8Array[];
  readonly size: RecordSize;
}

export interface AppendOptions {
  /** If true, the write waits for the disk. */
  readonly fsync: boolean;
  /** If true, items are kept in memory for `read`, as far as there is room. */
  readonly isReadSoon: boolean;
}

export function bytesOf(payload: readonly Uint8Array[]): number {
  return payload.reduce((sum, { length }) => sum + length, 0);
}

function finishedPath(path: string): string {
  return `${path}.finished`;
}

/** Writes all bytes, also if the system takes them in several parts. */
async function writeAll(file: FileHandle, chunks: readonly Uint8Array[], at: number): Promise<void> {
  // The callback form costs less CPU time than `file.writev`.
  const { bytesWritten } = await writeChunks(file.fd, chunks, at);
  let done = bytesWritten;
  const length = bytesOf(chunks);
  if (done === length) return;
  const bytes = Buffer.concat(chunks, length);
  while (done < length) done += (await file.write(bytes, done, length - done, at + done)).bytesWritten;
}
