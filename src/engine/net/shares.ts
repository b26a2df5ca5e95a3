import type { EventEmitter } from 'node:events';

interface Limits {
  /** For all owners together, apart from `min` of each. */
  readonly total: number;
  readonly min: number;
  readonly max: number;
}

/** The next owner gets this part of the rest. */
const PART = 1 / 8;

/** Divides a limited amount among owners that come and go, such as connections. Who comes later gets less. */
export class Shares {
  readonly #limits: Limits;
  #given = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** The whole number that this owner may use until it emits `close`. */
  give(owner: EventEmitter): number {
    const { total, min, max } = this.#limits;
    const part = Math.floor((total - this.#given) * PART);
    const share = Math.min(max, Math.max(min, part));
    this.#given += share;
    owner.once('close', () => (this.#given -= share));
    return share;
  }
}
