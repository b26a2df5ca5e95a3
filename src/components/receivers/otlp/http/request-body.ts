import type { IncomingMessage } from 'node:http';
import { decompressorOf, type Decompressors } from '../codings/decompress.ts';
import type { BodyFlow, BodyLease } from '../body-budget.ts';
import { Rejection, RpcCode, rejectTooLarge, type SizeLimit } from '../rejection.ts';

export interface BodyLimits {
  /** Limit of the body as it arrives, and again after decompression. */
  readonly size: SizeLimit;
  readonly decompressors: Decompressors;
}

/**
 * The body of a request, decompressed.
 *
 * @param lease counts its memory.
 * @throws Rejection if it is too large, before or after decompression, or cannot be decompressed.
 */
export async function readBody(
  request: IncomingMessage,
  { size, decompressors }: BodyLimits,
  lease: (flow: BodyFlow) => BodyLease,
): Promise<Uint8Array> {
  const decompress = decompressorOf(request.headers['content-encoding'], decompressors);
  const { promise, reject } = Promise.withResolvers<never>();
  const held = lease({
    pause: () => request.pause(),
    resume: () => request.resume(),
    cutOff: (rejection) => {
      reject(rejection);
      request.resume();
    },
  });
  const body = await Promise.race([collect(request, size, held), promise]);
  held.arrived();
  if (decompress === undefined) return body;
  const restored = await decompress(body, size, { owner: request.socket, lease: held });
  held.expanded(restored.length);
  return restored;
}

/**
 * A sender only sees the answer reliably after it has sent everything: if its connection breaks before that, it retries.
 * Therefore up to this many times the limit is read and discarded.
 */
const PATIENCE = 2;

function collect(request: IncomingMessage, limit: SizeLimit, lease: BodyLease): Promise<Buffer> {
  const { maxBytes } = limit;
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const claimed = Number(request.headers['content-length'] ?? 0);
  if (claimed > maxBytes * PATIENCE) reject(rejectTooLarge(limit));
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBytes && lease.isHeld) {
      chunks.push(chunk);
      lease.add(chunk.length);
    } else chunks.length = 0;
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
