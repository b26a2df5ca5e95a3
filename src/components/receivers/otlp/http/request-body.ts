import type { IncomingMessage } from 'node:http';
import { decompressorOf, type Decompressors } from '../codings/decompress.ts';
import { Rejection, RpcCode, rejectTooLarge, type SizeLimit } from '../rejection.ts';

export interface BodyLimits {
  /** Limit of the body as it arrives, and again after decompression. */
  readonly size: SizeLimit;
  readonly decompressors: Decompressors;
}

/**
 * The body of a request, decompressed.
 *
 * @throws Rejection if it is too large, before or after decompression, or cannot be decompressed.
 */
export async function readBody(request: IncomingMessage, { size, decompressors }: BodyLimits): Promise<Uint8Array> {
  const decompress = decompressorOf(request.headers['content-encoding'], decompressors);
  const body = await collect(request, size);
  return decompress === undefined ? body : await decompress(body, size);
}

/**
 * A sender only sees the answer reliably after it has sent everything: if its connection breaks before that, it retries.
 * Therefore up to this many times the limit is read and discarded.
 */
const PATIENCE = 2;

function collect(request: IncomingMessage, limit: SizeLimit): Promise<Buffer> {
  const { maxBytes } = limit;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const claimed = Number(request.headers['content-length'] ?? 0);
  if (claimed > maxBytes * PATIENCE) reject(rejectTooLarge(limit));
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else chunks.length = 0;
    if (size > maxBytes * PATIENCE) reject(rejectTooLarge(limit));
  });
  request.on('end', () => {
    if (size > maxBytes) reject(rejectTooLarge(limit));
    else resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size));
  });
  request.on('error', (cause) =>
    reject(new Rejection('aborted', RpcCode.invalidArgument, { message: 'the body did not arrive', cause })),
  );
  return promise;
}
