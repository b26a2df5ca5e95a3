import { grow, resized } from '../../../../engine/columns/grow.ts';

export type Column = Uint16Array | Uint32Array;

const FIRST_ROWS = 64;

/** The kind of each column, and the number of its cells in a row. */
type Shape<Name extends string> = Readonly<Record<Name, { readonly bits: 16 | 32; readonly cells: number }>>;

/** The cells of a table to which nothing more is added. */
export type ColumnsContent<Name extends string> = Readonly<Record<Name, Column>>;

/** A table whose columns are typed arrays. A row has a number from 0 on. */
export class Columns<Name extends string> {
  readonly cells: Record<Name, Column>;
  readonly #shape: Shape<Name>;
  #rows = FIRST_ROWS;
  #count = 0;

  constructor(shape: Shape<Name>) {
    this.#shape = shape;
    const empty = this.#names.map((name) => [name, emptyColumn(shape[name].bits, FIRST_ROWS * shape[name].cells)]);
    this.cells = Object.fromEntries(empty) as Record<Name, Column>;
  }

  static from<Name extends string>(shape: Shape<Name>, cells: ColumnsContent<Name>, count: number): Columns<Name> {
    const columns = new Columns(shape);
    for (const name of columns.#names) columns.cells[name] = cells[name].slice();
    columns.#rows = count;
    columns.#count = count;
    return columns;
  }

  get count(): number {
    return this.#count;
  }

  get heldBytes(): number {
    return this.#names.reduce((sum, name) => sum + this.cells[name].byteLength, 0);
  }

  /** The number of a new row, whose cells are 0. */
  add(): number {
    if (this.#count === this.#rows) {
      for (const name of this.#names) this.cells[name] = grow(this.cells[name]);
      this.#rows *= 2;
    }
    return this.#count++;
  }

  /** Nothing more is added: gives back the memory for that. */
  seal(): void {
    for (const name of this.#names) {
      this.cells[name] = resized(this.cells[name], this.#count * this.#shape[name].cells);
    }
    this.#rows = this.#count;
  }

  get #names(): readonly Name[] {
    return Object.keys(this.#shape) as Name[];
  }
}

function emptyColumn(bits: 16 | 32, length: number): Column {
  return bits === 16 ? new Uint16Array(length) : new Uint32Array(length);
}
