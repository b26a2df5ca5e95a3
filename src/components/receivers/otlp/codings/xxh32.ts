const P1 = 0x9e3779b1;
const P2 = 0x85ebca77;
const P3 = 0xc2b2ae3d;
const P4 = 0x27d4eb2f;
const P5 = 0x165667b1;

const STRIPE_BYTES = 16;

/** The hash of bytes that lie side by side but come bit by bit. https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md */
export class Xxh32 {
  #lane1 = (P1 + P2) | 0;
  #lane2 = P2;
  #lane3 = 0;
  #lane4 = -P1 | 0;
  #hashed = 0;

  /** `bytes` are all that there are so far, from the first on. */
  update(bytes: Uint8Array): void {
    const view = viewOf(bytes);
    const end = bytes.length - (bytes.length % STRIPE_BYTES);
    for (let at = this.#hashed; at < end; at += STRIPE_BYTES) {
      this.#lane1 = round(this.#lane1, view.getInt32(at, true));
      this.#lane2 = round(this.#lane2, view.getInt32(at + 4, true));
      this.#lane3 = round(this.#lane3, view.getInt32(at + 8, true));
      this.#lane4 = round(this.#lane4, view.getInt32(at + 12, true));
    }
    this.#hashed = end;
  }

  /** Of all the bytes, which `update` has seen or not. */
  digest(bytes: Uint8Array): number {
    this.update(bytes);
    let hash = bytes.length < STRIPE_BYTES ? P5 : this.#merged();
    hash = (hash + bytes.length) | 0;
    const view = viewOf(bytes);
    let at = this.#hashed;
    for (; at + 4 <= bytes.length; at += 4) {
      hash = Math.imul(rotate((hash + Math.imul(view.getInt32(at, true), P3)) | 0, 17), P4);
    }
    for (; at < bytes.length; at++) {
      hash = Math.imul(rotate((hash + Math.imul(view.getUint8(at), P5)) | 0, 11), P1);
    }
    return avalanche(hash);
  }

  #merged(): number {
    return rotate(this.#lane1, 1) + rotate(this.#lane2, 7) + rotate(this.#lane3, 12) + rotate(this.#lane4, 18);
  }
}

export function xxh32(bytes: Uint8Array): number {
  return new Xxh32().digest(bytes);
}

function round(lane: number, word: number): number {
  return Math.imul(rotate((lane + Math.imul(word, P2)) | 0, 13), P1);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function avalanche(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 15), P2);
  mixed = Math.imul(mixed ^ (mixed >>> 13), P3);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

function viewOf({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, length);
}
