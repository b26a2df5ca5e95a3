import { promisify } from 'node:util';
import { constants, gzip, zstdCompress } from 'node:zlib';

const gzipAsync = promisify(gzip);
const zstdAsync = promisify(zstdCompress);

/** Compresses in the thread pool, so that the event loop goes on; `none` and the empty text leave the chunks as they are. */
export async function compress(
  chunks: readonly Uint8Array[],
  compression: 'gzip' | 'zstd' | 'none' | '',
): Promise<readonly Uint8Array[]> {
  if (compression === 'zstd') return [await zstdAsync(Buffer.concat(chunks))];
  if (compression !== 'gzip') return chunks;
  // Telemetry repeats itself so much that the fastest level has most of the gain for a fraction of the CPU.
  return [await gzipAsync(Buffer.concat(chunks), { level: constants.Z_BEST_SPEED })];
}
