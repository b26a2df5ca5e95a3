import { randomBytes } from 'node:crypto';

/** Differs in each process, so that senders cannot prepare keys that collide. */
const SEED = randomBytes(4).readInt32LE();

/** Hashes four bytes in each step. */
export function hashBytes(owner: number, view: DataView, start: number, end: number): number {
  let hash = Math.imul(owner ^ SEED, 0x85ebca6b) ^ (end - start);
  let at = start;
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(hash ^ view.getInt32(at, true), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; at < end; at++) hash = Math.imul(hash ^ view.getUint8(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

export function hashText(owner: number, text: string): number {
  const bytes = Buffer.from(text);
  return hashBytes(owner, viewOf(bytes), 0, bytes.length);
}

export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
