import { MalformedError } from '../malformed-error.ts';
import type { WireWriter } from '../wire-writer.ts';
import { addToHash, type JsonField, type JsonMessage } from './json-fields.ts';

/** The bytes of JSON's syntax. */
export const Ascii = {
  space: 0x20,
  quote: 0x22,
  comma: 0x2c,
  minus: 0x2d,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  openBrace: 0x7b,
  closeBrace: 0x7d,
} as const;

/** A longer run of white space, or a longer name, is refused: it would take long, and no sender writes it. */
const MAX_TOKEN_BYTES = 64 * 1024;
const MAX_NUMBER_BYTES = 4096;
/** Integers with fewer digits are exact as a double. */
const EXACT_DIGITS = 15;

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const INTEGER = /^-?\d+$/;
/** Longer integers are beyond every type of protobuf. */
const MAX_INTEGER_CHARACTERS = 31;

const LITERALS = new Map<number, readonly [text: string, value: true | false | null]>([
  [0x74, ['true', true]],
  [0x66, ['false', false]],
  [0x6e, ['null', null]],
]);

/** U+FFFD. */
const REPLACEMENT = Buffer.from('\uFFFD');
const [HIGH_SURROGATES, LOW_SURROGATES, AFTER_SURROGATES] = [0xd800, 0xdc00, 0xe000];

/** Reads the tokens of a JSON text from its bytes. Each method takes a bounded time. */
export class JsonCursor {
  readonly bytes: Buffer;
  position = 0;
  /** The name that was read last, between its quotes. */
  nameStart = 0;
  nameEnd = 0;

  constructor(json: Uint8Array) {
    this.bytes = Buffer.from(json.buffer, json.byteOffset, json.length);
  }

  /** The next byte that is not white space, without passing it; -1 at the end. */
  peek(): number {
    const { bytes } = this;
    const start = this.position;
    for (let at = start; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (byte > Ascii.space || !isSpace(byte)) {
        this.position = at;
        return byte;
      }
      if (at - start > MAX_TOKEN_BYTES) this.fail('too much white space');
    }
    this.position = bytes.length;
    return -1;
  }

  /** Passes this byte and the white space before it. */
  expect(byte: number): void {
    if (this.peek() !== byte) this.failHere();
    this.position++;
  }

  /** The field of a name, whose opening quote is next; undefined if the message has no such field. */
  field(message: JsonMessage | undefined): JsonField | undefined {
    if (this.peek() !== Ascii.quote) this.failHere();
    const { bytes } = this;
    const start = this.position + 1;
    let hash = 0;
    let at = start;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] as number;
      if (byte === Ascii.quote || byte === Ascii.backslash || byte < Ascii.space) break;
      hash = addToHash(hash, byte);
      if (at - start > MAX_TOKEN_BYTES) this.fail('a name is too long');
    }
    this.nameStart = start;
    this.nameEnd = at;
    if (bytes[at] !== Ascii.quote) return this.#escapedField(message);
    this.position = at + 1;
    return message?.find(hash, bytes, start, at);
  }

  /**
   * Where the text ends whose opening quote is next, if it has no escapes and is not long; otherwise -1. `isAscii` shows
   * whether other checks are needed.
   */
  plainEnd(): number {
    const { bytes } = this;
    const limit = Math.min(bytes.length, this.position + MAX_TOKEN_BYTES);
    let all = 0;
    for (let at = this.position + 1; at < limit; at++) {
      const byte = bytes[at] as number;
      if (byte === Ascii.quote) {
        this.isAscii = all < 0x80;
        return at;
      }
      if (byte < Ascii.space || byte === Ascii.backslash) return -1;
      all |= byte;
    }
    return -1;
  }

  /** About the text that `plainEnd` has found. */
  isAscii = true;

  /** A number, true, false or null. Integers that a double cannot hold are bigints. */
  literal(): number | bigint | boolean | null {
    const { bytes, position } = this;
    const [text, value] = LITERALS.get(bytes[position] as number) ?? [];
    if (text === undefined || value === undefined) return this.#number();
    if (bytes.toString('latin1', position, position + text.length) !== text) this.failHere();
    this.position += text.length;
    return value;
  }

  /**
   * Appends a part of a text to the writer, without escapes. Bytes that are not UTF-8 become U+FFFD, and so do halves of
   * surrogate pairs.
   *
   * @returns true if the text has ended. The position is after its closing quote then.
   */
  textPart(writer: WireWriter): boolean {
    const limit = Math.min(this.bytes.length, this.position + MAX_TOKEN_BYTES);
    while (this.position < limit) {
      if (!this.#plainPart(writer, limit)) break;
      const byte = this.bytes[this.position] as number;
      if (byte === Ascii.quote) {
        this.position++;
        return true;
      }
      if (byte !== Ascii.backslash) this.fail('a control character in a text');
      this.#escape(writer);
    }
    if (this.position >= this.bytes.length) this.failHere();
    return false;
  }

  /** Fails because of the byte at the position. */
  failHere(): never {
    const isAtEnd = this.position >= this.bytes.length;
    return this.fail(isAtEnd ? 'unexpected end' : `unexpected ${describe(this.bytes[this.position] as number)}`);
  }

  fail(problem: string): never {
    throw new MalformedError(`the body is not JSON: ${problem} (byte ${this.position})`);
  }

  /** Names with escapes are rare. `nameEnd` is before the first one. */
  #escapedField(message: JsonMessage | undefined): JsonField | undefined {
    const limit = Math.min(this.bytes.length, this.nameStart + MAX_TOKEN_BYTES);
    let at = this.nameEnd;
    while (at < limit && this.bytes[at] !== Ascii.quote) at += this.bytes[at] === Ascii.backslash ? 2 : 1;
    if (at >= limit && limit < this.bytes.length) this.fail('a name is too long');
    this.nameEnd = at;
    const name = this.name();
    this.position = at + 1;
    return message?.named(name);
  }

  /** The name that was read last. */
  name(start = this.nameStart, end = this.nameEnd): string {
    try {
      return JSON.parse(this.bytes.toString('utf8', start - 1, end + 1)) as string;
    } catch {
      return this.fail('a name that is not a text');
    }
  }

  #number(): number | bigint {
    const { bytes } = this;
    const start = this.position;
    const isNegative = bytes[start] === Ascii.minus;
    const firstDigit = isNegative ? start + 1 : start;
    let value = 0;
    let at = firstDigit;
    for (; at - firstDigit <= EXACT_DIGITS && isDigit(bytes[at]); at++) {
      value = value * 10 + (bytes[at] as number) - Ascii.zero;
    }
    const digits = at - firstDigit;
    const hasLeadingZero = digits > 1 && bytes[firstDigit] === Ascii.zero;
    if (digits === 0 || digits > EXACT_DIGITS || hasLeadingZero || continuesNumber(bytes[at])) {
      return this.#longNumber(start);
    }
    this.position = at;
    return isNegative ? -value : value;
  }

  #longNumber(start: number): number | bigint {
    let end = start;
    while (isDigit(this.bytes[end]) || continuesNumber(this.bytes[end])) {
      end++;
      if (end - start > MAX_NUMBER_BYTES) this.fail(`a number with more than ${MAX_NUMBER_BYTES} characters`);
    }
    const text = this.bytes.toString('latin1', start, end);
    if (!NUMBER.test(text)) this.failHere();
    this.position = end;
    const value = Number(text);
    if (Number.isSafeInteger(value) || text.length > MAX_INTEGER_CHARACTERS || !INTEGER.test(text)) return value;
    return BigInt(text);
  }

  /** Appends the bytes up to the next quote, escape or control character. False if none comes before the limit. */
  #plainPart(writer: WireWriter, limit: number): boolean {
    const { bytes, position: start } = this;
    let all = 0;
    let at = start;
    for (; at < limit; at++) {
      const byte = bytes[at] as number;
      if (byte === Ascii.quote || byte === Ascii.backslash || byte < Ascii.space) break;
      all |= byte;
    }
    const isFound = at < limit;
    if (!isFound && limit < bytes.length && all >= 0x80) at = this.#characterEnd(start, at);
    this.position = at;
    if (all < 0x80) writer.appendSlice(bytes, start, at);
    else writer.appendText(bytes, start, at);
    return isFound;
  }

  /** The end of the last whole character before `end`. */
  #characterEnd(start: number, end: number): number {
    for (let at = end - 1; at > start && at >= end - 3; at--) {
      const byte = this.bytes[at] as number;
      if (byte < 0x80) return end;
      if (byte >= 0xc0) return at;
    }
    return end;
  }

  #escape(writer: WireWriter): void {
    const code = this.bytes[this.position + 1];
    if (code === 0x75) return this.#unicodeEscape(writer);
    const byte = ESCAPES.get(code ?? -1);
    if (byte === undefined) this.fail('an unknown escape');
    writer.byte(byte);
    this.position += 2;
  }

  #unicodeEscape(writer: WireWriter): void {
    const unit = this.#codeUnit(this.position);
    this.position += 6;
    if (unit < HIGH_SURROGATES || unit >= AFTER_SURROGATES) return writeCharacter(writer, unit);
    const isPaired =
      unit < LOW_SURROGATES && this.bytes[this.position] === Ascii.backslash && this.bytes[this.position + 1] === 0x75;
    const low = isPaired ? this.#codeUnit(this.position) : 0;
    if (low < LOW_SURROGATES || low >= AFTER_SURROGATES) {
      writer.appendSlice(REPLACEMENT, 0, REPLACEMENT.length);
      return;
    }
    this.position += 6;
    writeCharacter(writer, 0x10000 + (unit - HIGH_SURROGATES) * 0x400 + (low - LOW_SURROGATES));
  }

  /** The number in the escape at this position. */
  #codeUnit(position: number): number {
    const digits = this.bytes.toString('latin1', position + 2, position + 6);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail('an unknown escape');
    return Number.parseInt(digits, 16);
  }
}

const ESCAPES: ReadonlyMap<number, number> = new Map(
  ['"', '\\', '/']
    .map((character) => [character.codePointAt(0)!, character.codePointAt(0)!] as const)
    .concat([
      [0x62, 8],
      [0x66, 12],
      [0x6e, 10],
      [0x72, 13],
      [0x74, 9],
    ]),
);

function writeCharacter(writer: WireWriter, codePoint: number): void {
  if (codePoint < 0x80) return writer.byte(codePoint);
  const encoded = Buffer.from(String.fromCodePoint(codePoint));
  writer.appendSlice(encoded, 0, encoded.length);
}

function isSpace(byte: number): boolean {
  return byte === Ascii.space || byte === 10 || byte === 13 || byte === 9;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= Ascii.zero && byte <= Ascii.nine;
}

/** True for `.`, `e`, `E`, `+` and `-`. */
function continuesNumber(byte: number | undefined): boolean {
  return byte === 0x2e || byte === 0x65 || byte === 0x45 || byte === 0x2b || byte === 0x2d;
}

function describe(byte: number): string {
  return byte > Ascii.space && byte < 0x7f ? `"${String.fromCodePoint(byte)}"` : `byte 0x${byte.toString(16)}`;
}
