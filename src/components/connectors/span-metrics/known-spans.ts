import type { PickedAttributes } from '../../../engine/otlp/picked-attributes.ts';
import type { Series } from './series.ts';

/** The series that a span counts for. */
export interface Counted {
  readonly calls: Series;
  /** Undefined without a histogram. */
  readonly duration: Series | undefined;
}

interface Known extends Counted {
  readonly key: DataView;
  readonly seed: number;
}

/** Different spans with one hash. More than that are prepared by somebody, and are decoded each time. */
const MAX_CHAIN = 8;

/** The series of spans, by the bytes that distinguish them: most spans are counted without decoding. */
export class KnownSpans {
  readonly #byHash = new Map<number, Known[]>();

  find(picked: PickedAttributes): Counted | undefined {
    const chain = this.#byHash.get(picked.hash);
    if (chain === undefined) return undefined;
    for (let i = 0; i < chain.length; i++) {
      const known = chain[i] as Known;
      if (known.seed === picked.seed && picked.equals(known.key)) return known;
    }
    return undefined;
  }

  add(picked: PickedAttributes, { calls, duration }: Counted): void {
    const chain = this.#byHash.get(picked.hash) ?? [];
    if (picked.isTooLong || chain.length >= MAX_CHAIN) return;
    chain.push({ key: picked.copy(), seed: picked.seed, calls, duration });
    this.#byHash.set(picked.hash, chain);
  }

  clear(): void {
    this.#byHash.clear();
  }
}
