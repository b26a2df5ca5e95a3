import { viewOf } from '../columns/hash-bytes.ts';
import { fieldTags } from './schema.ts';

const KEY_TAG = fieldTags('KeyValue').key;
/** A longer length takes two bytes. */
const MAX_KEY_BYTES = 127;

/** Keys of attributes that a component looks at. Finds them in encoded attributes, without decoding. */
export class WantedKeys {
  /** The index is the length. */
  readonly #keys: (readonly WantedKey[] | undefined)[] = [];

  constructor(required: readonly string[], optional: readonly string[]) {
    for (const text of new Set([...required, ...optional])) {
      const key = { view: viewOf(Buffer.from(text)), isRequired: required.includes(text) };
      this.#keys[key.view.byteLength] = [...(this.#keys[key.view.byteLength] ?? []), key];
    }
  }

  /** The wanted key of the `KeyValue` at `start`, undefined if it has another one. Encoders write the key first. */
  find(request: DataView, start: number): WantedKey | undefined {
    if (request.getUint8(start) !== KEY_TAG) return undefined;
    const length = request.getUint8(start + 1);
    const keys = length > MAX_KEY_BYTES ? undefined : this.#keys[length];
    if (keys === undefined) return undefined;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as WantedKey;
      if (isAt(key.view, request, start + 2)) return key;
    }
    return undefined;
  }
}

interface WantedKey {
  readonly view: DataView;
  readonly isRequired: boolean;
}

/** True if the request has these bytes at `start`. It must be long enough. */
export function isAt(wanted: DataView, request: DataView, start: number): boolean {
  const length = wanted.byteLength;
  // Texts of one length mostly differ at the end.
  let at = length - 4;
  for (; at >= 0; at -= 4) if (wanted.getInt32(at, true) !== request.getInt32(start + at, true)) return false;
  for (let first = 0; first < at + 4; first++)
    if (wanted.getUint8(first) !== request.getUint8(start + first)) return false;
  return true;
}
