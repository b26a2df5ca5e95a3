/** Values that a process writes into a storage and a later one reads. */
import { deserialize, serialize } from 'node:v8';
import { crc32 } from 'node:zlib';

const CHECKSUM_BYTES = 4;

/** @param place where the value is: at another place it is not whole. */
export function encodeStored(value: unknown, place = ''): Uint8Array {
  const bytes = serialize(value);
  const checksum = Buffer.alloc(CHECKSUM_BYTES);
  checksum.writeUInt32LE(checksumOf(bytes, place));
  return Buffer.concat([checksum, bytes]);
}

/** Only bytes that are whole are interpreted. @throws Error if they are not. */
export function decodeStored({ buffer, byteOffset, length }: Uint8Array, place = ''): unknown {
  const stored = Buffer.from(buffer, byteOffset, length);
  const bytes = stored.subarray(CHECKSUM_BYTES);
  if (length < CHECKSUM_BYTES || stored.readUInt32LE() !== checksumOf(bytes, place))
    throw new Error('its bytes have changed');
  return deserialize(bytes);
}

function checksumOf(bytes: Uint8Array, place: string): number {
  return crc32(bytes, crc32(place));
}
