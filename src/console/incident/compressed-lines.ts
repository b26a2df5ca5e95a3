import type { RecordedLine } from './recording.ts';

/** Lines of JSON that are compressed while they are written, so that their size is known. Runs in Node.js and in browsers. */
export class CompressedLines {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #reading: Promise<void>;
  readonly #parts: Uint8Array<ArrayBuffer>[] = [];
  readonly #encoder = new TextEncoder();
  #sizeBytes = 0;

  constructor() {
    const { readable, writable } = new CompressionStream('gzip');
    this.#writer = writable.getWriter();
    this.#reading = this.#collect(readable);
  }

  /** How long the text will be, up to what the compressor still holds back. */
  get length(): number {
    return Math.ceil(this.#sizeBytes / 3) * 4;
  }

  async write(line: RecordedLine): Promise<void> {
    await this.#writer.write(this.#encoder.encode(`${JSON.stringify(line)}\n`));
  }

  /** @returns Base64. */
  async finish(): Promise<string> {
    await this.#writer.close();
    await this.#reading;
    const bytes = new Uint8Array(await new Blob(this.#parts).arrayBuffer());
    let text = '';
    for (let at = 0; at < bytes.length; at += PART_BYTES) {
      text += btoa(String.fromCharCode(...bytes.subarray(at, at + PART_BYTES)));
    }
    return text;
  }

  async #collect(readable: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    const reader = readable.getReader();
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      this.#parts.push(value as Uint8Array<ArrayBuffer>);
      this.#sizeBytes += (value as Uint8Array<ArrayBuffer>).length;
    }
  }
}

/** A multiple of three bytes is four characters without padding. */
const PART_BYTES = 3 * 8192;
