import { isMessage, messages, wireTypeOf, type EnumType, type Field, type Scalar } from '../schema.ts';
import { WireType } from '../wire-reader.ts';

/** A field of a message, prepared for JSON. */
export interface JsonField {
  readonly number: number;
  readonly repeated: boolean;
  /** The fields of the embedded message; undefined for other types. */
  readonly message: JsonMessage | undefined;
  /** Undefined for messages. */
  readonly type: Scalar | EnumType | undefined;
  /** True for repeated numbers: they are written as one block. */
  readonly isPacked: boolean;
}

/** The fields of a message by their names in JSON. Both `lowerCamelCase` and `snake_case` are accepted. */
export class JsonMessage {
  readonly #byHash = new Map<number, { readonly name: Uint8Array; readonly field: JsonField }[]>();
  readonly #byName = new Map<string, JsonField>();

  add(name: string, field: JsonField): void {
    this.#byName.set(name, field);
    const bytes = Buffer.from(name);
    const hash = bytes.reduce(addToHash, 0);
    const others = this.#byHash.get(hash) ?? [];
    this.#byHash.set(hash, [...others, { name: bytes, field }]);
  }

  /** The field whose name is `bytes` in [start, end), with the hash of these bytes. */
  find(hash: number, bytes: Uint8Array, start: number, end: number): JsonField | undefined {
    const candidates = this.#byHash.get(hash);
    if (candidates === undefined) return undefined;
    for (const { name, field } of candidates) if (isAt(name, bytes, start, end)) return field;
    return undefined;
  }

  named(name: string): JsonField | undefined {
    return this.#byName.get(name);
  }
}

/** The hash of a name with one more byte. */
export function addToHash(hash: number, byte: number): number {
  return (Math.imul(hash, 31) + byte) | 0;
}

/** The messages by their names in the .proto files. */
export const jsonMessages: ReadonlyMap<string, JsonMessage> = compile();

function compile(): ReadonlyMap<string, JsonMessage> {
  const compiled = new Map([...messages.keys()].map((name) => [name, new JsonMessage()]));
  for (const [message, fields] of messages) {
    for (const [name, field] of Object.entries(fields)) {
      const prepared = prepare(field, compiled);
      for (const alias of new Set([name, camelCase(name)])) compiled.get(message)?.add(alias, prepared);
    }
  }
  return compiled;
}

function prepare({ number, type, repeated }: Field, compiled: ReadonlyMap<string, JsonMessage>): JsonField {
  if (isMessage(type)) {
    return { number, repeated, message: compiled.get(type.message), type: undefined, isPacked: false };
  }
  return { number, repeated, message: undefined, type, isPacked: repeated && wireTypeOf(type) !== WireType.bytes };
}

function camelCase(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function isAt(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== bytes[start + i]) return false;
  return true;
}
