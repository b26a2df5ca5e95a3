import { promisify } from 'node:util';
import { constants, deflate, gzip, zstdCompress } from 'node:zlib';

const [deflateAsync, gzipAsync, zstdAsync] = [promisify(deflate), promisify(gzip), promisify(zstdCompress)];

/** `deflate` and `zlib` are two names of one format. The empty text means none. */
export const COMPRESSIONS = ['gzip', 'deflate', 'zlib', 'zstd', 'none', ''] as const;

export type Compression = (typeof COMPRESSIONS)[number];

/** The value of `Content-Encoding`; undefined for none. */
export function encodingOf(compression: Compression): string | undefined {
  return compression === 'none' || compression === '' ? undefined : compression;
}

/**
 * Compresses in the thread pool.
 *
 * @param level 0 for the default: the fastest. Telemetry is so repetitive that it has most of the gain for a fraction of
 *   the CPU time.
 */
export async function compress(
  chunks: readonly Uint8Array[],
  compression: Compression,
  level: number,
): Promise<readonly Uint8Array[]> {
  if (encodingOf(compression) === undefined) return chunks;
  const body = Buffer.concat(chunks);
  if (compression === 'zstd') {
    return [await zstdAsync(body, level === 0 ? {} : { params: { [constants.ZSTD_c_compressionLevel]: level } })];
  }
  const options = { level: level || constants.Z_BEST_SPEED };
  return [await (compression === 'gzip' ? gzipAsync : deflateAsync)(body, options)];
}
