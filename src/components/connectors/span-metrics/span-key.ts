import { PickedAttributes } from '../../../engine/otlp/picked-attributes.ts';
import type { SpanFields } from '../../../engine/otlp/span-fields.ts';
import { WantedKeys } from '../../../engine/otlp/wanted-keys.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';
import type { Dimensions } from './dimensions.ts';

/** Different keys of attributes that are remembered. */
const MAX_DECISIONS = 10_000;

/** Picks the name and the attributes of a span that become labels. Spans with the same bytes count for the same series. */
export class SpanKey {
  readonly #names: WantedKeys;
  readonly #globs: readonly ((key: string) => boolean)[];
  readonly #hasDimensions: boolean;
  /** True for keys of attributes that a glob selects, by their bytes. */
  readonly #decisions = new Map<string, boolean>();
  readonly #picked = new PickedAttributes();

  constructor(dimensions: readonly Dimensions[]) {
    const names = dimensions.flatMap(({ named }) => named.map(({ name }) => name));
    this.#names = new WantedKeys([], names);
    this.#globs = dimensions.flatMap(({ globs }) => globs);
    this.#hasDimensions = names.length > 0 || this.#globs.length > 0;
  }

  /**
   * @param context distinguishes spans by something else.
   * @returns valid until the next call.
   */
  of(span: SpanFields, context: number): PickedAttributes {
    this.#picked.clear(span.request, (context << 6) | (span.kind << 3) | (span.statusCode & 7));
    if (span.nameEnd > span.nameStart) this.#picked.add(span.nameStart, span.nameEnd);
    if (this.#hasDimensions) {
      for (let i = 0; i < span.attributeCount; i++) {
        const start = span.attributeStarts[i] as number;
        if (this.#isLabel(span, start)) this.#picked.add(start, span.attributeEnds[i] as number);
      }
    }
    return this.#picked;
  }

  #isLabel({ bytes, request }: SpanFields, start: number): boolean {
    if (this.#names.find(request, start) !== undefined) return true;
    return this.#globs.length > 0 && this.#isSelected(bytes, start);
  }

  /** Encoders write the key first; its length takes one byte. */
  #isSelected(bytes: Uint8Array, start: number): boolean {
    const keyStart = start + 2;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + keyStart, bytes[start + 1]).toString('latin1');
    let isSelected = this.#decisions.get(text);
    if (isSelected === undefined) {
      const key = new WireReader(bytes, start + 1).string();
      isSelected = this.#globs.some((matches) => matches(key));
      if (this.#decisions.size >= MAX_DECISIONS) this.#decisions.clear();
      this.#decisions.set(text, isSelected);
    }
    return isSelected;
  }
}
