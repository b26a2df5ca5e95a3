import { crc32 } from 'node:zlib';

/**
 * The form of one item on disk: a header of 24 bytes, then the payload. Numbers are little-endian.
 *
 * | bytes | |
 * | --- | --- |
 * | 0–3 | `SQR1` |
 * | 4–7 | CRC-32 of everything after it |
 * | 8–11 | length of the payload |
 * | 12–15 | number of items, for the sizer `items` |
 * | 16–19 | number of items in the ledger |
 * | 20–23 | 0 |
 */
export const HEADER_BYTES = 24;

const MAGIC = Buffer.from('SQR1');

export interface RecordSize {
  readonly items: number;
  /** The number of items in the ledger: an error of Sentry is an item, but not a span. */
  readonly ledgerItems: number;
}

export interface RecordHeader extends RecordSize {
  readonly payloadBytes: number;
  readonly checksum: number;
}

/** The header of a record with this payload. */
export function encodeHeader(payload: readonly Uint8Array[], { items, ledgerItems }: RecordSize): Buffer {
  const length = payload.reduce((sum, chunk) => sum + chunk.length, 0);
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(length, 8);
  header.writeUInt32LE(items, 12);
  header.writeUInt32LE(ledgerItems, 16);
  const checksum = payload.reduce((sum, chunk) => crc32(chunk, sum), crc32(header.subarray(8)));
  header.writeUInt32LE(checksum, 4);
  return header;
}

/** Undefined if the bytes are not a header. */
export function decodeHeader(bytes: Buffer): RecordHeader | undefined {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, 4).equals(MAGIC) || bytes.readUInt32LE(20) !== 0)
    return undefined;
  return {
    checksum: bytes.readUInt32LE(4),
    payloadBytes: bytes.readUInt32LE(8),
    items: bytes.readUInt32LE(12),
    ledgerItems: bytes.readUInt32LE(16),
  };
}

/** @param record the header and its whole payload. */
export function isIntact(record: Buffer, { checksum }: RecordHeader): boolean {
  return crc32(record.subarray(8)) === checksum;
}

/** The offset of the next possible header, or -1. */
export function findHeader(bytes: Buffer, from: number): number {
  return bytes.indexOf(MAGIC, from);
}
