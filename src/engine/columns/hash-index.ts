const FIRST_SLOTS = 1024;

/**
 * Maps hashes to entries of a table that stores the keys. Open addressing with linear probing: a million entries need no
 * objects. Several entries may have the same hash, so the caller compares the keys.
 *
 *     for (let slot = index.seek(hash); index.entryAt(slot) >= 0; slot = index.next(slot, hash)) …
 */
export class HashIndex {
  /** Pairs of hash and entry + 1, so that a probe needs one cache line. */
  #slots = new Int32Array(2 * FIRST_SLOTS);
  #mask = FIRST_SLOTS - 1;
  #size = 0;

  /** The first slot that has this hash, or a free one. */
  seek(hash: number): number {
    return this.#probe(hash & this.#mask, hash);
  }

  /** The next slot after `slot` that has this hash, or a free one. */
  next(slot: number, hash: number): number {
    return this.#probe((slot + 1) & this.#mask, hash);
  }

  /** The entry, or -1 if the slot is free. */
  entryAt(slot: number): number {
    return (this.#slots[2 * slot + 1] as number) - 1;
  }

  add(hash: number, entry: number): void {
    if (this.#size * 2 > this.#mask) this.#resize((this.#mask + 1) * 2);
    this.#place(hash, entry);
    this.#size++;
  }

  /** The entry must exist. */
  remove(hash: number, entry: number): void {
    let slot = this.seek(hash);
    while (this.entryAt(slot) !== entry) slot = this.next(slot, hash);
    this.#close(slot);
    this.#size--;
    if (this.#size * 16 < this.#mask && this.#mask >= 4 * FIRST_SLOTS - 1) this.#resize((this.#mask + 1) / 4);
  }

  /** Another entry takes the place of an existing one with the same hash. */
  replace(hash: number, entry: number, by: number): void {
    let slot = this.seek(hash);
    while (this.entryAt(slot) !== entry) slot = this.next(slot, hash);
    this.#slots[2 * slot + 1] = by + 1;
  }

  #probe(from: number, hash: number): number {
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = from;
    while (slots[2 * slot + 1] !== 0 && slots[2 * slot] !== hash) slot = (slot + 1) & mask;
    return slot;
  }

  #place(hash: number, entry: number): void {
    let slot = hash & this.#mask;
    while (this.#slots[2 * slot + 1] !== 0) slot = (slot + 1) & this.#mask;
    this.#slots[2 * slot] = hash;
    this.#slots[2 * slot + 1] = entry + 1;
  }

  /** Moves displaced entries back to the hole, so that no probe ends too early. */
  #close(slot: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let hole = slot;
    for (let at = (slot + 1) & mask; slots[2 * at + 1] !== 0; at = (at + 1) & mask) {
      const home = (slots[2 * at] as number) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      slots.copyWithin(2 * hole, 2 * at, 2 * at + 2);
      hole = at;
    }
    slots[2 * hole + 1] = 0;
  }

  #resize(slots: number): void {
    const old = this.#slots;
    this.#slots = new Int32Array(slots * 2);
    this.#mask = slots - 1;
    for (let at = 0; at < old.length; at += 2) {
      if (old[at + 1] !== 0) this.#place(old[at] as number, (old[at + 1] as number) - 1);
    }
  }
}
