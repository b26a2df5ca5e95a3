import { readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createDirectory } from '../../create-directory.ts';
import type { RecordSize } from './record.ts';
import { HEADER_BYTES } from './record.ts';
import { bytesOf, NOTHING, plus, Segment, type Appending, type Amount, type StoredRecord } from './segment.ts';

export interface DiskLogSettings {
  readonly directory: string;
  /** The limit for all files together. */
  readonly maxBytes: number;
  /** If true, each write waits for the disk. */
  readonly fsync: boolean;
  /** Called for each part that cannot be read, with what is known to be lost. */
  readonly onCorrupt: (lost: Amount, setAsideAs: string | undefined) => void;
}

/** A record with its place. */
export interface LogRecord<Item> {
  readonly record: StoredRecord<Item>;
  readonly place: Place<Item>;
}

/** A segment file. Only those that are being written or read are open. */
interface Place<Item> {
  readonly path: string;
  open: Segment<Item> | undefined;
  /** `waiting` and `sizeBytes` are those of the moment in which it was closed. */
  waiting: Amount;
  sizeBytes: number;
  /** Records that were read and are not finished. */
  inFlight: number;
}

interface Pending<Item> {
  readonly record: Appending<Item>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The size at which the next segment begins, with a large limit. A segment is removed as a whole. */
const SEGMENT_BYTES = 16 * 1024 * 1024;
const SEGMENT_NAME = /^(\d{12})\.segment$/;
/** The limits of records that are written together. */
const MAX_GROUP_BYTES = 1024 * 1024;
const MAX_GROUP_RECORDS = 100;
/** The limit for the corrupt parts that are kept for examination. Further ones are only counted. */
const MAX_SET_ASIDE_BYTES = 16 * 1024 * 1024;

/**
 * Records in the files of a directory, read in the order in which they were written. Records that are not finished are
 * read again by the next process. Memory does not depend on their number.
 */
export class DiskLog<Item> {
  readonly #settings: DiskLogSettings;
  /** The oldest first. */
  readonly #places: Place<Item>[] = [];
  /** Where records are appended: the last place, once something was written. */
  #writing: Place<Item> | undefined;
  #nextNumber = 1;
  #setAsideBytes = 0;
  /** Records that wait for the end of a write. */
  readonly #pending: Pending<Item>[] = [];
  /** Ends when all earlier appends have. Never rejects. */
  #appending: Promise<void> = Promise.resolve();
  #reading = 0;
  /** True if the last append failed. */
  #isFull = false;

  private constructor(settings: DiskLogSettings) {
    this.#settings = settings;
  }

  /** Counts what an earlier process has left. @throws Error of the system. */
  static async open<Item>(settings: DiskLogSettings): Promise<DiskLog<Item>> {
    await createDirectory(settings.directory, 0o700);
    const log = new DiskLog<Item>(settings);
    const files = await readdir(settings.directory);
    for (const file of files.filter((name) => name.endsWith('.corrupt'))) {
      log.#setAsideBytes += (await stat(path.join(settings.directory, file))).size;
    }
    for (const file of files.filter((name) => SEGMENT_NAME.test(name)).toSorted()) {
      const segmentPath = path.join(settings.directory, file);
      const segment = await Segment.open<Item>(segmentPath);
      const { waiting, sizeBytes } = segment;
      await segment.close();
      log.#places.push({ path: segmentPath, open: undefined, waiting, sizeBytes, inFlight: 0 });
      log.#nextNumber = Number(SEGMENT_NAME.exec(file)?.[1]) + 1;
    }
    return log;
  }

  /** Records that are not finished. */
  get waiting(): Amount {
    return this.#places.reduce((sum, place) => plus(sum, (place.open ?? place).waiting), NOTHING);
  }

  get sizeBytes(): number {
    return this.#places.reduce((sum, place) => sum + (place.open ?? place).sizeBytes, 0);
  }

  hasRoomFor(payloadBytes: number): boolean {
    return this.sizeBytes + HEADER_BYTES + payloadBytes <= this.#settings.maxBytes;
  }

  /** Records that are appended during a write are written together by the next one. @throws Error of the system; then nothing has changed. */
  async append(item: Item, payload: readonly Uint8Array[], size: RecordSize): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#pending.push({ record: { item, payload, size }, resolve, reject });
    this.#appending = this.#appending.then(async () => await this.#appendPending());
    await promise;
  }

  /** Never rejects. */
  async #appendPending(): Promise<void> {
    const group = takeGroup(this.#pending);
    if (group.length === 0) return;
    const error = await this.#write(group.map(({ record }) => record));
    // A smaller one may fit on the disk.
    if (error !== undefined && group.length > 1) for (const one of group) settle(one, await this.#write([one.record]));
    else for (const one of group) settle(one, error);
  }

  /** Returns the error of the system. */
  async #write(records: readonly Appending<Item>[]): Promise<unknown> {
    try {
      const place = await this.#placeToWrite();
      // An item that is not read soon does not stay in memory.
      const isReadSoon = this.#places[this.#reading] === place;
      await place.open?.append(records, { fsync: this.#settings.fsync, isReadSoon });
      this.#isFull = false;
      return undefined;
    } catch (error) {
      this.#isFull = true;
      return error;
    }
  }

  /** Removes the segment that is being written, if it only contains finished records and its room may be needed. */
  async #renew(): Promise<void> {
    const renewed = this.#renewAfter(this.#appending);
    this.#appending = renewed.catch(() => undefined);
    await renewed;
  }

  async #renewAfter(before: Promise<void>): Promise<void> {
    await before;
    const place = this.#writing;
    if (place === undefined || !this.#isRenewable(place)) return;
    this.#writing = undefined;
    if (this.#places[this.#reading] === place) this.#reading++;
    await this.#removeIfDone(place);
  }

  #isRenewable({ open, inFlight }: Place<Item>): boolean {
    if (open === undefined || inFlight > 0 || !open.isRead || open.waiting.records > 0) return false;
    return open.sizeBytes >= this.#segmentBytes / 4 || this.#isFull;
  }

  get #segmentBytes(): number {
    return Math.min(SEGMENT_BYTES, this.#settings.maxBytes / 8);
  }

  /** The next record, or undefined if all were read. Not to be called while another call runs. */
  async next(): Promise<LogRecord<Item> | undefined> {
    for (let place = this.#places[this.#reading]; place !== undefined; place = this.#places[this.#reading]) {
      place.open ??= await Segment.open<Item>(place.path);
      const found = await place.open.read();
      if (found !== undefined && 'content' in found) {
        place.inFlight++;
        return { record: found, place };
      }
      if (found !== undefined) await this.#onCorrupt(place, found.bytes, found.amount ?? NOTHING);
      else if (place === this.#writing) return undefined;
      else {
        // The place may have been removed meanwhile.
        if (this.#places[this.#reading] === place) this.#reading++;
        await this.#removeIfDone(place);
      }
    }
    return undefined;
  }

  /** Notes that the record is sent or dropped. Resolves when this is written, see `note`. */
  async finish({ record, place }: LogRecord<Item>): Promise<void> {
    place.inFlight--;
    await place.open?.finish(record);
    await this.#removeIfDone(place);
    if (place === this.#writing && this.#isRenewable(place)) await this.#renew();
  }

  /** Writes the notes of all finished records now. Without it, they wait a little for others. */
  note(): void {
    for (const { open } of this.#places) open?.note();
  }

  async close(): Promise<void> {
    await this.#appending;
    for (const place of this.#places) await this.#close(place);
  }

  async #placeToWrite(): Promise<Place<Item>> {
    const current = this.#writing;
    if (current?.open !== undefined && current.open.sizeBytes < this.#segmentBytes) return current;
    const name = `${String(this.#nextNumber).padStart(12, '0')}.segment`;
    const segmentPath = path.join(this.#settings.directory, name);
    const open = await Segment.create<Item>(segmentPath);
    this.#nextNumber++;
    const place: Place<Item> = { path: segmentPath, open, waiting: NOTHING, sizeBytes: 0, inFlight: 0 };
    this.#writing = place;
    this.#places.push(place);
    // The reader opens it again.
    if (current !== undefined && this.#places.indexOf(current) > this.#reading) await this.#close(current);
    return place;
  }

  /** Removes a segment that was read and whose records are finished. */
  async #removeIfDone(place: Place<Item>): Promise<void> {
    const index = this.#places.indexOf(place);
    if (index < 0 || index >= this.#reading || place === this.#writing || place.inFlight > 0) return;
    this.#places.splice(index, 1);
    this.#reading--;
    const { open } = place;
    // Records whose headers cannot be read.
    if (open !== undefined && open.waiting.records > 0) this.#settings.onCorrupt(open.waiting, undefined);
    await open?.remove();
  }

  async #close(place: Place<Item>): Promise<void> {
    const { open } = place;
    if (open === undefined) return;
    place.open = undefined;
    [place.waiting, place.sizeBytes] = [open.waiting, open.sizeBytes];
    await open.close();
  }

  async #onCorrupt(place: Place<Item>, bytes: Buffer, lost: Amount): Promise<void> {
    place.open?.discard(lost);
    const to = `${place.path}.${Date.now()}.corrupt`;
    const fits = this.#setAsideBytes + bytes.length <= MAX_SET_ASIDE_BYTES;
    this.#setAsideBytes += bytes.length;
    const kept = fits && (await isWritten(to, bytes));
    this.#settings.onCorrupt(lost, kept ? to : undefined);
  }
}

/** Removes the first records, as many as one write may contain. */
function takeGroup<Item>(pending: Pending<Item>[]): Pending<Item>[] {
  let bytes = 0;
  const end = pending.findIndex(({ record }, index) => {
    bytes += bytesOf(record.payload);
    return index > 0 && (bytes > MAX_GROUP_BYTES || index >= MAX_GROUP_RECORDS);
  });
  return pending.splice(0, end < 0 ? pending.length : end);
}

/** @param error undefined if the record is written. */
function settle({ resolve, reject }: Pending<unknown>, error: unknown): void {
  if (error === undefined) resolve();
  else reject(error);
}

async function isWritten(file: string, bytes: Buffer): Promise<boolean> {
  return await writeFile(file, bytes, { mode: 0o600, flag: 'a' }).then(
    () => true,
    () => false,
  );
}
