/** Values that a process writes into a storage and a later one reads. */
import { deserialize, serialize } from 'node:v8';
import { crc32 } from 'node:zlib';

const CHECKSUM_BYTES = 4;

export function encodeStored(value: unknown): Uint8Array {
  const bytes = serialize(value);
  const checksum = Buffer.alloc(CHECKSUM_BYTES);
  checksum.writeUInt32LE(crc32(bytes));
  return Buffer.concat([checksum, bytes]);
}

/** Only bytes that are whole are interpreted. @throws Error if they are not. */
export function decodeStored({ buffer, byteOffset, length }: Uint8Array): unknown {
  const stored = Buffer.from(buffer, byteOffset, length);
  const bytes = stored.subarray(CHECKSUM_BYTES);
  if (length < CHECKSUM_BYTES || stored.readUInt32LE() !== crc32(bytes)) throw new Error('its bytes have changed');
  return deserialize(bytes);
}
