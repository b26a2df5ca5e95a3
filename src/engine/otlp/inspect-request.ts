import type { Signal } from '../component.ts';
import { atOnce } from '../time-slice.ts';
import { MalformedError } from './malformed-error.ts';
import { TooManyMessagesError } from './too-many-messages-error.ts';
import {
  fieldTags,
  isMessage,
  itemMessages,
  messages,
  requestMessages,
  wireTypeOf,
  type Field,
  type Fields,
} from './schema.ts';
import { WireType } from './wire-reader.ts';

/** Maximum nesting of messages, as in most protobuf libraries. Code that reads a checked request may recurse. */
export const MAX_DEPTH = 100;

/** How many messages a request may contain. An attribute with its value counts as one. */
export interface MessageLimits {
  readonly perRequest: number;
  /** For one span, data point, log record, resource or scope, with all messages inside it. */
  readonly perItem: number;
}

/**
 * Real requests stay far below: 20 MiB hold less than a million attributes with names and values. Two bytes are enough
 * for an empty message, and each costs as much as a full one.
 */
export const DEFAULT_MESSAGE_LIMITS: MessageLimits = { perRequest: 1_000_000, perItem: 20_000 };

/**
 * Walks over an `Export<Signal>ServiceRequest` once, checks its framing, and counts its items (spans, data
 * points or log records). Afterwards the bytes may be trusted: every length lies inside its message, known
 * fields have their wire types, trace ids have 16 bytes and span ids 8 (or none), and nesting and the number of
 * messages are bounded. Unknown fields are skipped. Text is not checked for valid UTF-8.
 *
 * Yields where other work may run.
 *
 * @throws MalformedError that names the field and its byte offset.
 * @throws TooManyMessagesError if the request exceeds the limits.
 */
export function* inspectSteps(
  signal: Signal,
  bytes: Uint8Array,
  limits = DEFAULT_MESSAGE_LIMITS,
): Generator<undefined, number> {
  return yield* new Walk(bytes, requestMessages[signal], limits).items();
}

/** `inspectSteps` without pauses, for requests from a trusted source. */
export function inspectRequest(signal: Signal, bytes: Uint8Array): number {
  return atOnce(inspectSteps(signal, bytes));
}

/** Checks of a field beyond its framing. Values from `message` on mean an embedded message: `message` + its index. */
const Check = {
  none: 0,
  wrongWireType: 1,
  traceId: 2,
  spanId: 3,
  packedFixed64: 4,
  packedVarint: 5,
  message: 6,
} as const;

/** Larger tags (field numbers above 31) do not occur in OTLP. */
const TAGS = 256;

const messageNames = [...messages.keys()];
/** Indexed by message and tag, so that each field costs one array access. */
const checks = compileChecks();
const [IS_ITEM, HAS_OWN_LIMIT] = [1, 2];
const flags = Uint8Array.from(messageNames, (name) => {
  if (itemMessages.has(name)) return IS_ITEM | HAS_OWN_LIMIT;
  return name === 'Resource' || name === 'InstrumentationScope' ? HAS_OWN_LIMIT : 0;
});

/** Larger than any request. Larger numbers are clamped to it and keep their wire type, so that V8 uses small integers only. */
const LARGEST = 0x7fff_fff8;

/** Messages up to this size are checked in one step. */
const STEP_BYTES = 64 * 1024;

/** The maximum size of packed numbers whose size varies. Real histograms have a few hundred of them. */
const MAX_PACKED_BYTES = 1024 * 1024;

/** The maximum number of fields of one message that are not messages themselves: texts and numbers. */
const MAX_PLAIN_FIELDS = 65_536;

/** The length of the largest tag of protobuf. https://protobuf.dev/programming-guides/proto3/#assigning */
const TAG_BYTES = 5;

const KEY_VALUE = Check.message + messageNames.indexOf('KeyValue');
const { key: KEY_TAG, value: VALUE_TAG } = fieldTags('KeyValue');
const { string_value: STRING_VALUE_TAG } = fieldTags('AnyValue');

/**
 * Every received byte passes through this class: except for large messages it allocates nothing, and its loop reads
 * integers only. The position is passed from call to call, because V8 keeps arguments in registers and fields in memory.
 */
class Walk {
  readonly #bytes: Uint8Array;
  readonly #root: string;
  readonly #limits: MessageLimits;
  /** The tags from the request to the current field, for error messages. */
  readonly #path = new Uint32Array(MAX_DEPTH);
  #items = 0;
  #messages = 0;
  /** The end of the varint that `#longVarint` has read. */
  #next = 0;
  /** Set by `#delimited` if it leaves a large message to its caller. */
  #large = 0;
  #largeStart = 0;
  #yieldAt = STEP_BYTES;

  constructor(bytes: Uint8Array, root: string, limits: MessageLimits) {
    this.#bytes = bytes;
    this.#root = root;
    this.#limits = limits;
  }

  *items(): Generator<undefined, number> {
    const root = messageNames.indexOf(this.#root);
    const { length } = this.#bytes;
    if (length > STEP_BYTES) yield* this.#largeMessage(root, 0, length, 0);
    else this.#message(root, 0, length, 0);
    if (this.#messages > this.#limits.perRequest) this.#failCount();
    return this.#items;
  }

  /** Checks a message of more than `STEP_BYTES`. Yields after every `STEP_BYTES`. */
  *#largeMessage(index: number, start: number, end: number, depth: number): Generator<undefined, undefined> {
    const row = index * TAGS;
    const before = this.#messages;
    let plainFields = 0;
    const flag = flags[index] as number;
    this.#items += flag & IS_ITEM;
    for (let position = start; position < end;) {
      const countBefore = this.#messages;
      position = this.#field(row, position, end, depth);
      if (this.#large !== 0) {
        const child = this.#large - Check.message;
        this.#large = 0;
        const childMessages = this.#messages;
        yield* this.#largeMessage(child, this.#largeStart, position, depth + 1);
        if (child === KEY_VALUE - Check.message && this.#messages > childMessages) this.#messages--;
      } else if (this.#messages === countBefore && ++plainFields > MAX_PLAIN_FIELDS) {
        this.#failSize(`belongs to a message with more than ${MAX_PLAIN_FIELDS} fields`, depth);
      }
      if (this.#messages > this.#limits.perRequest) this.#failCount();
      if (position < this.#yieldAt) continue;
      this.#yieldAt = position + STEP_BYTES;
      yield;
    }
    if (flag !== 0) this.#checkItem(before, depth);
  }

  /** Checks the message with this index at [start, end), and counts its items. */
  #message(index: number, start: number, end: number, depth: number): void {
    const row = index * TAGS;
    const before = this.#messages;
    const flag = flags[index] as number;
    this.#items += flag & IS_ITEM;
    let position = start;
    while (position < end) {
      let tag = this.#bytes[position++] as number;
      if (tag > 0x7f) {
        tag = this.#longTag(position - 1, end, depth);
        position = this.#next;
      }
      this.#path[depth] = tag;
      const check = tag < TAGS ? (checks[row + tag] as number) : Check.none;
      if (check === Check.wrongWireType || tag < 8) this.#failTag(tag, position, depth);
      if ((tag & 7) === WireType.bytes) position = this.#delimited(check, position, end, depth);
      else position = this.#scalar(tag & 7, position, end, depth);
    }
    if (flag !== 0) this.#checkItem(before, depth);
  }

  /** Checks the field at this position and returns where it ends. */
  #field(row: number, start: number, end: number, depth: number): number {
    const tag = this.#longTag(start, end, depth);
    const position = this.#next;
    const check = this.#checkOf(tag, row, position, depth);
    if ((tag & 7) === WireType.bytes) return this.#delimited(check, position, end, depth);
    return this.#scalar(tag & 7, position, end, depth);
  }

  /** A tag of any length. Leaves in `#next` where it ends. */
  #longTag(start: number, end: number, depth: number): number {
    const tag = this.#longVarint(start, end, depth);
    if (tag >= LARGEST && this.#next - start > TAG_BYTES) this.#failTag(tag, this.#next, depth);
    return tag;
  }

  /** How to check the content of the field with this tag. */
  #checkOf(tag: number, row: number, position: number, depth: number): number {
    this.#path[depth] = tag;
    const check = tag < TAGS ? (checks[row + tag] as number) : Check.none;
    if (check === Check.wrongWireType || tag < 8) this.#failTag(tag, position, depth);
    return check;
  }

  /** Checks a value that begins with its length, counts its items, and returns where it ends. */
  #delimited(check: number, position: number, end: number, depth: number): number {
    let start = position + 1;
    let length = position < end ? (this.#bytes[position] as number) : 0x80;
    if (length > 0x7f) {
      length = this.#longVarint(position, end, depth);
      start = this.#next;
    }
    if (length > end - start) this.#fail(`claims ${length} bytes where ${end - start} are left`, start, depth);
    const next = start + length;
    if (check === Check.none) return next;
    if (check === KEY_VALUE && this.#isPlainAttribute(start, next)) this.#messages++;
    else if (check < Check.message) this.#content(check, start, next, depth);
    else this.#embedded(check, start, next, depth);
    return next;
  }

  /** Checks and counts the message at [start, end), or leaves it to the caller if it is large. */
  #embedded(check: number, start: number, end: number, depth: number): void {
    const count = ++this.#messages;
    if (depth + 1 >= MAX_DEPTH) this.#fail(`is nested deeper than ${MAX_DEPTH} messages`, start, depth);
    if (end - start > STEP_BYTES) {
      this.#large = check;
      this.#largeStart = start;
      return;
    }
    this.#message(check - Check.message, start, end, depth + 1);
    // The value of an attribute is counted with it.
    if (check === KEY_VALUE && this.#messages > count) this.#messages--;
  }

  /**
   * True if [start, end) is just a key with a text value, each shorter than 128 bytes. Most of a request is like this, and
   * needs no nested walk then.
   */
  #isPlainAttribute(start: number, end: number): boolean {
    const bytes = this.#bytes;
    if (end - start < 6 || end - start > 127 || bytes[start] !== KEY_TAG) return false;
    const value = start + 2 + (bytes[start + 1] as number);
    return (
      value + 4 <= end &&
      bytes[value] === VALUE_TAG &&
      bytes[value + 1] === end - value - 2 &&
      bytes[value + 2] === STRING_VALUE_TAG &&
      bytes[value + 3] === end - value - 4
    );
  }

  /** Returns where a value without a length ends. */
  #scalar(wireType: number, position: number, end: number, depth: number): number {
    if (wireType === WireType.varint) {
      if (position < end && (this.#bytes[position] as number) < 0x80) return position + 1;
      this.#longVarint(position, end, depth);
      return this.#next;
    }
    if (wireType !== WireType.fixed64 && wireType !== WireType.fixed32) {
      this.#fail(`has the wire type ${wireType}, which OTLP does not use`, position, depth);
    }
    const length = wireType === WireType.fixed64 ? 8 : 4;
    if (length > end - position) this.#fail(`needs ${length} bytes where ${end - position} are left`, position, depth);
    return position + length;
  }

  #content(check: number, start: number, end: number, depth: number): void {
    const length = end - start;
    if (check === Check.packedVarint) {
      if (length > MAX_PACKED_BYTES) this.#failSize(`has ${length} bytes, may have ${MAX_PACKED_BYTES}`, depth);
      for (let position = start; position < end; position = this.#next) this.#longVarint(position, end, depth);
    } else if (check === Check.packedFixed64) {
      if (length % 8 !== 0) this.#fail(`has ${length} bytes, must have a multiple of 8`, start, depth);
    } else {
      const idLength = check === Check.traceId ? 16 : 8;
      if (length !== idLength && length !== 0) this.#fail(`has ${length} bytes, must have ${idLength}`, start, depth);
    }
  }

  /** A varint of any length. Leaves in `#next` where it ends. */
  #longVarint(start: number, end: number, depth: number): number {
    const limit = Math.min(end, start + 10);
    let value = 0;
    let scale = 1;
    for (let position = start; position < limit; position++, scale *= 128) {
      const byte = this.#bytes[position] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        this.#next = position + 1;
        return value < LARGEST ? value | 0 : LARGEST | ((this.#bytes[start] as number) & 7);
      }
    }
    return this.#fail(limit === end ? 'ends inside a varint' : 'has a varint longer than 10 bytes', start, depth);
  }

  #checkItem(messagesBefore: number, depth: number): void {
    const { perItem } = this.#limits;
    if (this.#messages - messagesBefore <= perItem) return;
    const path = describePath(this.#root, this.#path.subarray(0, depth));
    throw new TooManyMessagesError(
      `${path} contains more than the ${perItem} messages that max_messages_per_item allows`,
    );
  }

  #failSize(problem: string, depth: number): never {
    throw new TooManyMessagesError(`${describePath(this.#root, this.#path.subarray(0, depth + 1))} ${problem}`);
  }

  #failCount(): never {
    const { perRequest } = this.#limits;
    throw new TooManyMessagesError(
      `the request contains more than the ${perRequest} messages that max_messages_per_request allows`,
    );
  }

  #failTag(tag: number, offset: number, depth: number): never {
    this.#path[depth] = tag;
    if (tag < 8) this.#fail('has the field number 0', offset, depth);
    // Later readers could not determine its wire type.
    if (tag >= LARGEST) this.#fail('has a field number beyond those of protobuf', offset, depth);
    this.#fail(`has the wire type ${tag & 7}, which is not this field's`, offset, depth);
  }

  #fail(problem: string, offset: number, depth: number): never {
    const path = describePath(this.#root, this.#path.subarray(0, depth + 1));
    throw new MalformedError(`${path} ${problem} (byte ${offset})`);
  }
}

/** The names of the fields with these tags, each inside the one before: `resource_metrics.scope_metrics`. */
function describePath(root: string, tags: Iterable<number>): string {
  const names: string[] = [];
  let fields: Fields | undefined = messages.get(root);
  for (const tag of tags) {
    const entry = Object.entries(fields ?? {}).find(([, { number }]) => number === tag >>> 3);
    names.push(entry?.[0] ?? `field ${tag >>> 3}`);
    const type = entry?.[1].type;
    fields = type !== undefined && isMessage(type) ? messages.get(type.message) : undefined;
  }
  return names.join('.');
}

function compileChecks(): Uint8Array {
  const table = new Uint8Array(messageNames.length * TAGS);
  for (const [index, name] of messageNames.entries()) {
    for (const field of Object.values(messages.get(name) ?? {})) {
      const row = index * TAGS + field.number * 8;
      table.fill(Check.wrongWireType, row, row + 8);
      const wireType = wireTypeOf(field.type);
      table[row + wireType] = checkOf(field);
      if (field.repeated && wireType !== WireType.bytes) table[row + WireType.bytes] = packedCheckOf(wireType);
    }
  }
  return table;
}

function checkOf({ type }: Field): number {
  if (isMessage(type)) {
    const index = messageNames.indexOf(type.message);
    if (index === -1) throw new Error(`the schema has no message ${type.message}`);
    return Check.message + index;
  }
  if (type === 'trace_id') return Check.traceId;
  return type === 'span_id' ? Check.spanId : Check.none;
}

function packedCheckOf(wireType: number): number {
  return wireType === WireType.fixed64 ? Check.packedFixed64 : Check.packedVarint;
}
