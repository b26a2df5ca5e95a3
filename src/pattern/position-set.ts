/** Positions of a program, each at most once, in the order in which they were added. */
export class PositionSet {
  /** The first `size` of them count. Positions may be added while others are read. */
  readonly positions: Uint16Array;
  size = 0;
  /** The place of each added position in `positions`. */
  readonly #places: Uint16Array;

  constructor(programLength: number) {
    this.positions = new Uint16Array(programLength);
    this.#places = new Uint16Array(programLength);
  }

  add(position: number): void {
    const place = this.#places[position] as number;
    if (place < this.size && this.positions[place] === position) return;
    this.#places[position] = this.size;
    this.positions[this.size++] = position;
  }

  clear(): void {
    this.size = 0;
  }

  copyFrom({ positions, size }: PositionSet): void {
    this.size = 0;
    for (let i = 0; i < size; i++) this.add(positions[i] as number);
  }

  load(positions: Uint16Array): void {
    this.size = 0;
    for (const position of positions) this.add(position);
  }

  /** A sorted copy. */
  sorted(): Uint16Array {
    return this.positions.subarray(0, this.size).toSorted();
  }
}
