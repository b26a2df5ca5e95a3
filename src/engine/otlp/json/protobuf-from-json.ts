import type { Signal } from '../../component.ts';
import { atOnce } from '../../time-slice.ts';
import { MAX_DEPTH } from '../inspect-request.ts';
import { MalformedError } from '../malformed-error.ts';
import { requestMessages } from '../schema.ts';
import { WireWriter } from '../wire-writer.ts';
import { decodeBase64 } from './base64.ts';
import { Ascii, JsonCursor } from './json-cursor.ts';
import { jsonMessages, type JsonField, type JsonMessage } from './json-fields.ts';
import { writeEnum, writePackedNumber, writeScalar } from './scalars.ts';

/** A request whose protobuf form is larger than allowed, although its JSON form is not. */
export class ProtobufTooLargeError extends Error {
  override readonly name = 'ProtobufTooLargeError';
}

/**
 * Writes the protobuf form of an OTLP/JSON `Export<Signal>ServiceRequest` while it reads, as lenient as the stock
 * Collector: both `lowerCamelCase` and `snake_case` names, integers as numbers or text, enums as numbers or names,
 * `null` for what is absent; unknown fields are ignored. Trace and span ids are hexadecimal, other bytes base64.
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 *
 * Yields where other work may run. Memory grows with the result only.
 *
 * @throws MalformedError that names the JSON path, or the byte that is not JSON.
 * @throws ProtobufTooLargeError if the result exceeds `maxBytes`.
 */
export function* protobufSteps(
  signal: Signal,
  json: Uint8Array,
  maxBytes = Infinity,
): Generator<undefined, Uint8Array> {
  return yield* new Conversion(json, maxBytes).run(jsonMessages.get(requestMessages[signal]) as JsonMessage);
}

/** An upper limit for the result: a number of one digit in a list becomes eight bytes. */
export function maxProtobufBytes(json: Uint8Array): number {
  return 4 * json.length + 16;
}

/** `protobufSteps` without pauses, for requests from a trusted source. */
export function protobufFromJson(signal: Signal, json: Uint8Array): Uint8Array {
  return atOnce(protobufSteps(signal, json));
}

const STEP_BYTES = 64 * 1024;
/** How much one step may write beyond the limit before that is noticed. Memory that is not written costs nothing. */
const OVERSHOOT_BYTES = 16 * STEP_BYTES;
/** Each message costs one step of the path for its name, and a repeated one another for its index. */
const MAX_PATH = 2 * MAX_DEPTH;
/** How much of the path of a value that is nested too deep is shown. */
const SHOWN_PATH = 8;
/** For values under unknown names. */
const MAX_UNKNOWN_DEPTH = 10_000;
/** Longer texts are not numbers, ids or names of enums. */
const MAX_SCALAR_BYTES = 4096;
const NOT_A_SCALAR = '-';

/** An object or array that is being read. */
interface Frame {
  isArray: boolean;
  /** The fields of an object; undefined for one under an unknown name. */
  message: JsonMessage | undefined;
  /** The field whose elements an array has; undefined for one under an unknown name. */
  field: JsonField | undefined;
  /** Where the content of its field starts in the output; -1 if it is not a field of its own. */
  start: number;
  /** How many members or elements have begun. */
  count: number;
  /** The name of the current member in the input. */
  nameStart: number;
  nameEnd: number;
}

class Conversion {
  readonly #cursor: JsonCursor;
  readonly #writer: WireWriter;
  readonly #maxBytes: number;
  /** Frames are used again, so that nothing is allocated for each message. */
  readonly #frames: Frame[] = [];
  #depth = -1;
  #yieldAt = STEP_BYTES;

  constructor(json: Uint8Array, maxBytes: number) {
    this.#cursor = new JsonCursor(json);
    const largest = Math.min(maxBytes + OVERSHOOT_BYTES, maxProtobufBytes(json));
    const isLarge = json.length > OVERSHOOT_BYTES;
    this.#writer = new WireWriter(isLarge ? largest : json.length * 2, largest);
    this.#maxBytes = maxBytes;
  }

  *run(root: JsonMessage): Generator<undefined, Uint8Array> {
    const cursor = this.#cursor;
    if (cursor.peek() !== Ascii.openBrace) this.#failRoot();
    cursor.position++;
    this.#push(false, { message: root, field: undefined, start: -1 });
    while (this.#depth >= 0) {
      const frame = this.#frames[this.#depth] as Frame;
      if (this.#isClosed(frame)) this.#close(frame);
      else {
        const field = this.#next(frame);
        if (cursor.peek() === Ascii.quote) {
          if (!this.#shortText(field, frame)) yield* this.#longText(field, frame);
        } else this.#value(field, frame);
      }
      if (cursor.position < this.#yieldAt) continue;
      this.#checkSize();
      this.#yieldAt = cursor.position + STEP_BYTES;
      yield;
    }
    if (cursor.peek() !== -1) cursor.failHere();
    this.#checkSize();
    return this.#writer.detach();
  }

  /** True if the next token ends the frame; it is passed. Passes the comma before another member, too. */
  #isClosed(frame: Frame): boolean {
    const cursor = this.#cursor;
    const byte = cursor.peek();
    if (byte === (frame.isArray ? Ascii.closeBracket : Ascii.closeBrace)) {
      cursor.position++;
      return true;
    }
    if (frame.count > 0) cursor.expect(Ascii.comma);
    return false;
  }

  /** Passes what is before the value: the name of a member. Returns the field of the value. */
  #next(frame: Frame): JsonField | undefined {
    frame.count++;
    if (frame.isArray) return frame.field;
    const cursor = this.#cursor;
    const field = cursor.field(frame.message);
    frame.nameStart = cursor.nameStart;
    frame.nameEnd = cursor.nameEnd;
    cursor.expect(Ascii.colon);
    return field;
  }

  /** Reads a value that is not a text. */
  #value(field: JsonField | undefined, frame: Frame): void {
    const cursor = this.#cursor;
    const byte = cursor.peek();
    if (byte === Ascii.openBrace) this.#object(field, frame);
    else if (byte === Ascii.openBracket) this.#array(field, frame);
    else this.#scalar(field, frame, cursor.literal());
  }

  #object(field: JsonField | undefined, frame: Frame): void {
    this.#cursor.position++;
    if (field === undefined) this.#push(false, { message: undefined, field: undefined, start: -1 });
    else if (field.message === undefined || (field.repeated && !frame.isArray)) this.#scalar(field, frame, {});
    else {
      if (this.#depth + 1 > MAX_PATH) this.#failDepth();
      const start = this.#writer.openField(field.number);
      this.#push(false, { message: field.message, field: undefined, start });
    }
  }

  #array(field: JsonField | undefined, frame: Frame): void {
    this.#cursor.position++;
    if (field === undefined) this.#push(true, { message: undefined, field: undefined, start: -1 });
    else if (!field.repeated || frame.isArray) this.#scalar(field, frame, []);
    else {
      const start = field.isPacked ? this.#writer.openField(field.number) : -1;
      this.#push(true, { message: undefined, field, start });
    }
  }

  /** Writes a number, text, true or false, and refuses what the field cannot have. `null` is an absent field. */
  #scalar(field: JsonField | undefined, frame: Frame, value: unknown): void {
    if (field === undefined || (value === null && !frame.isArray)) return;
    const { number, type } = field;
    if (field.repeated && !frame.isArray) this.#fail('must be an array');
    if (type === undefined) return this.#fail('must be an object');
    if (typeof type === 'object') writeEnum(this.#writer, { number, type }, value, this.#fail);
    else if (field.isPacked) writePackedNumber(this.#writer, type, value, this.#fail);
    else writeScalar(this.#writer, { number, type }, value, this.#fail);
  }

  /** Reads a text that is short and has no escapes. False, without a change, for another one. */
  #shortText(field: JsonField | undefined, frame: Frame): boolean {
    const cursor = this.#cursor;
    const start = cursor.position + 1;
    const end = cursor.plainEnd();
    if (end < 0) return false;
    if (field === undefined) cursor.position = end + 1;
    else if (field.type === 'string' && field.repeated === frame.isArray) {
      if (cursor.isAscii) this.#writer.sliceField(field.number, cursor.bytes, start, end);
      else {
        const content = this.#writer.openField(field.number);
        this.#writer.appendText(cursor.bytes, start, end);
        this.#writer.closeField(content);
      }
      cursor.position = end + 1;
    } else {
      const isLong = end - start > MAX_SCALAR_BYTES && field.type !== 'bytes';
      const text = cursor.isAscii
        ? cursor.bytes.toString('latin1', start, end)
        : cursor.bytes.toString('utf8', start, end);
      this.#scalar(field, frame, isLong ? NOT_A_SCALAR : text);
      cursor.position = end + 1;
    }
    return true;
  }

  /** Reads any text, in parts. */
  *#longText(field: JsonField | undefined, frame: Frame): Generator<undefined, undefined> {
    const cursor = this.#cursor;
    const writer = this.#writer;
    const before = writer.length;
    const content = writer.openField(field?.number ?? 1);
    cursor.position++;
    while (!cursor.textPart(writer)) {
      this.#checkSize();
      yield;
    }
    const isOwnField = field !== undefined && field.repeated === frame.isArray;
    if (isOwnField && field.type === 'string') writer.closeField(content);
    else if (isOwnField && field.type === 'bytes') {
      yield* decodeBase64(writer, content, this.#fail);
      writer.closeField(content);
    } else {
      const isLong = writer.length - content > MAX_SCALAR_BYTES;
      const text = isLong ? NOT_A_SCALAR : Buffer.from(writer.written.subarray(content)).toString();
      writer.truncate(before);
      this.#scalar(field, frame, text);
    }
  }

  #push(isArray: boolean, content: Pick<Frame, 'message' | 'field' | 'start'>): void {
    const { message, field, start } = content;
    if (++this.#depth > MAX_UNKNOWN_DEPTH) this.#cursor.fail(`values are nested deeper than ${MAX_UNKNOWN_DEPTH}`);
    const frame = this.#frames[this.#depth];
    if (frame === undefined) {
      this.#frames.push({ isArray, message, field, start, count: 0, nameStart: 0, nameEnd: 0 });
      return;
    }
    frame.isArray = isArray;
    frame.message = message;
    frame.field = field;
    frame.start = start;
    frame.count = 0;
  }

  #close({ start }: Frame): void {
    this.#depth--;
    if (start < 0) return;
    // Its content may have to move, to make room for the length.
    if (this.#writer.length - start > STEP_BYTES) this.#yieldAt = this.#cursor.position;
    this.#writer.closeField(start);
  }

  #checkSize(): void {
    if (this.#writer.length <= this.#maxBytes) return;
    throw new ProtobufTooLargeError(`the protobuf form of the request is larger than ${this.#maxBytes} bytes`);
  }

  /** Fails for the value that is being read. */
  readonly #fail = (problem: string): never => {
    throw new MalformedError(`${this.#path(this.#depth + 1)} ${problem}`);
  };

  #failDepth(): never {
    throw new MalformedError(`${this.#path(SHOWN_PATH)} is nested deeper than ${MAX_DEPTH} messages`);
  }

  /** The body is another JSON value, or not JSON. */
  #failRoot(): never {
    const byte = this.#cursor.peek();
    if (byte !== Ascii.openBracket && byte !== Ascii.quote) this.#cursor.literal();
    throw new MalformedError('the request must be an object');
  }

  /** The names and indexes of the outermost frames: `resourceSpans[0].scopeSpans`. */
  #path(length: number): string {
    const steps = this.#frames.slice(0, length).map(({ isArray, count, nameStart, nameEnd }) => {
      return isArray ? `[${count - 1}]` : `.${this.#cursor.name(nameStart, nameEnd)}`;
    });
    return steps.join('').slice(1);
  }
}
