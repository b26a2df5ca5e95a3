import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import {
  gunzip,
  gunzipSync,
  inflate,
  inflateSync,
  zstdDecompress,
  zstdDecompressSync,
  type InputType,
} from 'node:zlib';
import { Rejection, RpcCode, rejectMalformed, rejectTooLarge } from './rejection.ts';

/**
 * The body of a request, decompressed.
 *
 * @throws Rejection if it is too large, before or after decompression, or cannot be decompressed.
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const decoder = decoderOf(request.headers['content-encoding']);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw rejectTooLarge(maxBytes);
  const body = await collect(request, maxBytes);
  return decoder === undefined || body.length === 0 ? body : await decompress(decoder, body, maxBytes);
}

interface Limits {
  readonly maxOutputLength: number;
  readonly chunkSize: number;
}

interface Decoder {
  readonly sync: (input: InputType, options: Limits) => Buffer;
  readonly async: (input: InputType, options: Limits) => Promise<Buffer>;
}

/** HTTP's `deflate` is the zlib format. https://www.rfc-editor.org/rfc/rfc9110#field.content-encoding */
const zlib: Decoder = { sync: inflateSync, async: promisify(inflate) as Decoder['async'] };

const gzip: Decoder = { sync: gunzipSync, async: promisify(gunzip) as Decoder['async'] };
const zstd: Decoder = { sync: zstdDecompressSync, async: promisify(zstdDecompress) as Decoder['async'] };

const decoders: ReadonlyMap<string, Decoder | undefined> = new Map<string, Decoder | undefined>([
  ['', undefined],
  ['identity', undefined],
  ['gzip', gzip],
  ['deflate', zlib],
  ['zlib', zlib],
  ['zstd', zstd],
]);

/** Up to here, decompressing at once is cheaper than the way through the thread pool. */
const SYNC_INPUT_BYTES = 64 * 1024;
/** A small body that unfolds beyond this goes to the thread pool after all: it must not hold the event loop. */
const SYNC_OUTPUT_BYTES = 512 * 1024;
const CHUNK_BYTES = 64 * 1024;

function decoderOf(encoding = ''): Decoder | undefined {
  const name = encoding.trim().toLowerCase();
  if (decoders.has(name)) return decoders.get(name);
  throw new Rejection('unsupported_encoding', RpcCode.invalidArgument, {
    message: `unsupported Content-Encoding: ${name.slice(0, 40)}; use gzip, deflate, zlib, zstd or none`,
  });
}

function collect(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(rejectTooLarge(maxBytes));
      }
    });
    request.on('end', () => resolve(Buffer.concat(chunks, size)));
    request.on('error', (cause) =>
      reject(new Rejection('aborted', RpcCode.invalidArgument, { message: 'the body did not arrive', cause })),
    );
  });
}

async function decompress(decoder: Decoder, body: Buffer, maxBytes: number): Promise<Buffer> {
  try {
    if (body.length <= SYNC_INPUT_BYTES) {
      const maxOutputLength = Math.min(maxBytes, SYNC_OUTPUT_BYTES);
      try {
        return decoder.sync(body, { maxOutputLength, chunkSize: CHUNK_BYTES });
      } catch (error) {
        if (!isTooLarge(error) || maxOutputLength === maxBytes) throw error;
      }
    }
    return await decoder.async(body, { maxOutputLength: maxBytes, chunkSize: CHUNK_BYTES });
  } catch (error) {
    if (isTooLarge(error)) throw rejectTooLarge(maxBytes);
    throw rejectMalformed(`the body cannot be decompressed: ${(error as Error).message}`, error);
  }
}

function isTooLarge(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
}
