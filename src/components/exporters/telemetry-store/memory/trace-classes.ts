/** The numbers of the classes, in the order of `traceClasses`. */
export const ORDINARY = 0;
export const SLOW = 1;
export const ERROR = 2;
export const EXEMPLAR = 3;

/** An estimate for an id in a map. */
const BYTES_AN_ID = 120;

/** The number of traces that exemplars refer to. A sender repeats those that it still shows. */
const MAX_EXEMPLARS = 10_000;

export interface TraceClassesContent {
  readonly raised: ReadonlyMap<string, number>;
  readonly exemplars: ReadonlySet<string>;
}

/** Knows the traces that are kept longer than others. Ids are the 16 bytes as `latin1`. */
export class TraceClasses {
  readonly #raised = new Map<string, number>();
  /** The one that was seen last comes last. */
  readonly #exemplars = new Set<string>();

  /** The memory that it takes. */
  get heldBytes(): number {
    return (this.#raised.size + this.#exemplars.size) * BYTES_AN_ID;
  }

  of(id: string): number {
    return this.#exemplars.has(id) ? EXEMPLAR : (this.#raised.get(id) ?? ORDINARY);
  }

  raise(id: string, to: typeof SLOW | typeof ERROR): void {
    if ((this.#raised.get(id) ?? ORDINARY) < to) this.#raised.set(id, to);
  }

  /** An exemplar refers to the trace. */
  refer(id: string): void {
    this.#exemplars.delete(id);
    this.#exemplars.add(id);
    if (this.#exemplars.size <= MAX_EXEMPLARS) return;
    for (const oldest of this.#exemplars) {
      this.#exemplars.delete(oldest);
      return;
    }
  }

  /** For another process. */
  get content(): TraceClassesContent {
    return { raised: this.#raised, exemplars: this.#exemplars };
  }

  /** Adds what an earlier process knew about a trace. */
  restore(id: string, { raised, exemplars }: TraceClassesContent): void {
    const to = raised.get(id) ?? ORDINARY;
    if ((this.#raised.get(id) ?? ORDINARY) < to) this.#raised.set(id, to);
    if (exemplars.has(id) && this.#exemplars.size < MAX_EXEMPLARS) this.refer(id);
  }

  /** The trace was evicted. */
  forget(id: string): void {
    this.#raised.delete(id);
  }
}
