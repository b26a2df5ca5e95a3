import type { IncomingMessage } from 'node:http';
import { decompressorOf, type Decompressors } from '../codings/decompress.ts';
import { Rejection, RpcCode, rejectTooLarge, type SizeLimit } from '../rejection.ts';

export interface BodyLimits {
  /** Of the body as it arrives, and once more when it is decompressed. */
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
 * Who is told only after having sent everything surely hears it: one whose connection breaks while it sends
 * would take that for a fault and try again. So up to this many times the limit is read, and forgotten.
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
