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

/** Turns a body that arrived compressed into one of at most `maxBytes`. */
export type Decompress = (body: Uint8Array, maxBytes: number) => Uint8Array | Promise<Uint8Array>;

/**
 * What undoes a `Content-Encoding`; undefined where there is nothing to undo.
 *
 * @throws Rejection if nothing here does.
 */
export function decompressorOf(encoding = ''): Decompress | undefined {
  if (encoding === '') return undefined;
  const name = encoding.trim().toLowerCase();
  if (decompressors.has(name)) return decompressors.get(name);
  throw new Rejection('unsupported_encoding', RpcCode.invalidArgument, {
    message: `unsupported Content-Encoding: ${name.slice(0, 40)}; use gzip, deflate, zlib, zstd or none`,
  });
}

interface Limits {
  readonly maxOutputLength: number;
  readonly chunkSize: number;
}

interface Decoder {
  readonly sync: (input: InputType, options: Limits) => Buffer;
  readonly async: (input: InputType, options: Limits) => Promise<Buffer>;
}

/**
 * Up to here the event loop decompresses by itself: it takes 1 ms at most and 30 to 40 % less CPU than the way
 * through the thread pool.
 */
const SYNC_INPUT_BYTES = 64 * 1024;
/** A small body may unfold far: what is larger than this goes to the thread pool after all. */
const SYNC_OUTPUT_BYTES = 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

function decompressWith(decoder: Decoder): Decompress {
  return (body, maxBytes) => {
    if (body.length === 0) return body;
    if (body.length > SYNC_INPUT_BYTES) return decompressInTurn(decoder, body, maxBytes);
    const maxOutputLength = Math.min(maxBytes, SYNC_OUTPUT_BYTES);
    try {
      return decoder.sync(body, { maxOutputLength, chunkSize: CHUNK_BYTES });
    } catch (error) {
      if (isTooLarge(error) && maxOutputLength < maxBytes) return decompressInTurn(decoder, body, maxBytes);
      throw explain(error, maxBytes);
    }
  };
}

let lastTurn: Promise<unknown> = Promise.resolve();

/** One after another: together, bombs would fill the memory before the first of them is found out. */
async function decompressInTurn(decoder: Decoder, body: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const turn = lastTurn.then(() => decoder.async(body, { maxOutputLength: maxBytes, chunkSize: CHUNK_BYTES }));
  lastTurn = turn.catch(() => undefined);
  try {
    return await turn;
  } catch (error) {
    throw explain(error, maxBytes);
  }
}

function explain(error: unknown, maxBytes: number): Rejection {
  if (isTooLarge(error)) return rejectTooLarge(maxBytes);
  return rejectMalformed(`the body cannot be decompressed: ${(error as Error).message}`, error);
}

function isTooLarge(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
}

/** HTTP's `deflate` is the zlib format. https://www.rfc-editor.org/rfc/rfc9110#field.content-encoding */
const zlib = decompressWith({ sync: inflateSync, async: promisify(inflate) as Decoder['async'] });
const gzip = decompressWith({ sync: gunzipSync, async: promisify(gunzip) as Decoder['async'] });
const zstd = decompressWith({ sync: zstdDecompressSync, async: promisify(zstdDecompress) as Decoder['async'] });

const decompressors: ReadonlyMap<string, Decompress | undefined> = new Map<string, Decompress | undefined>([
  ['identity', undefined],
  ['gzip', gzip],
  ['deflate', zlib],
  ['zlib', zlib],
  ['zstd', zstd],
]);
