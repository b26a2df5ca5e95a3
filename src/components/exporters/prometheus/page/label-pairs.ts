const QUOTE = 0x22;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const LETTER_N = 0x6e;

/** Tags of `Metric.label`, `LabelPair.name` and `LabelPair.value`. */
const LABEL = (1 << 3) | 2;
const NAME = (1 << 3) | 2;
const VALUE = (2 << 3) | 2;

/** Besides its name and value, a label has four bytes of text, and at most twelve in protobuf. */
const GROWTH = 3;

/**
 * Converts the label text of a series to protobuf, byte by byte. Strings for each name and value would cost more than the
 * rest of a page.
 */
export class LabelPairs {
  #bytes = new Uint8Array(4096);
  #length = 0;
  #text: Uint8Array = this.#bytes;
  /** The position in `#text`. */
  #at = 0;

  /** Encodes `name="value",…` between two positions in `text`. The result is valid until the next call. */
  encode(text: Uint8Array, start: number, end: number): Uint8Array {
    if (this.#bytes.length < (end - start) * GROWTH) this.#bytes = new Uint8Array((end - start) * GROWTH * 2);
    this.#text = text;
    this.#at = start;
    this.#length = 0;
    while (this.#at < end) this.#pair();
    return new Uint8Array(this.#bytes.buffer, 0, this.#length);
  }

  #pair(): void {
    const isQuoted = this.#text[this.#at] === QUOTE;
    const nameStart = isQuoted ? ++this.#at : this.#at;
    const nameLength = this.#skipTo(isQuoted ? QUOTE : EQUALS);
    const nameEnd = this.#at;
    this.#at += isQuoted ? '"="'.length : '="'.length;
    const valueStart = this.#at;
    const valueLength = this.#skipTo(QUOTE);
    const valueEnd = this.#at++;
    if (this.#text[this.#at] === COMMA) this.#at++;
    this.#tag(LABEL, 2 + varintSize(nameLength) + nameLength + varintSize(valueLength) + valueLength);
    this.#tag(NAME, nameLength);
    this.#copy(nameStart, nameEnd);
    this.#tag(VALUE, valueLength);
    this.#copy(valueStart, valueEnd);
  }

  /** Returns the number of bytes before `end`, without the escaping backslashes. */
  #skipTo(end: number): number {
    const text = this.#text;
    const start = this.#at;
    let at = start;
    let escapes = 0;
    for (; text[at] !== end; at++) {
      if (text[at] !== BACKSLASH) continue;
      escapes++;
      at++;
    }
    this.#at = at;
    return at - start - escapes;
  }

  #tag(tag: number, length: number): void {
    const bytes = this.#bytes;
    bytes[this.#length++] = tag;
    let rest = length;
    for (; rest > 0x7f; rest >>>= 7) bytes[this.#length++] = (rest & 0x7f) | 0x80;
    bytes[this.#length++] = rest;
  }

  #copy(start: number, end: number): void {
    const bytes = this.#bytes;
    const text = this.#text;
    let to = this.#length;
    for (let at = start; at < end; at++) {
      let byte = text[at] as number;
      if (byte === BACKSLASH) {
        byte = text[++at] as number;
        if (byte === LETTER_N) byte = NEWLINE;
      }
      bytes[to++] = byte;
    }
    this.#length = to;
  }
}

function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : 3;
}
