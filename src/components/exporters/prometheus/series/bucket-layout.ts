import { numberText, openMetricsNumber } from '../names/number-text.ts';

/** The bounds of a histogram or the quantiles of a summary, shared by series. */
export interface BucketLayout {
  readonly values: Float64Array;
  /** The end of a line's labels: `le="0.5"} `. An upper bound of +Inf is omitted, because it equals the count. */
  readonly labels: readonly string[];
  readonly openMetricsLabels: readonly string[];
  /** How many series use it. */
  users: number;
}

/** Stores each layout once, as long as a series uses it. */
export class BucketLayouts {
  readonly #layouts = new Map<string, BucketLayout>();
  readonly #label: string;
  #bytes = 0;

  constructor(label: 'le' | 'quantile') {
    this.#label = label;
  }

  /** An estimate of the memory of all layouts. */
  get bytes(): number {
    return this.#bytes;
  }

  acquire(values: Float64Array): BucketLayout {
    const key = values.join();
    let layout = this.#layouts.get(key);
    if (layout === undefined) {
      layout = { values: values.slice(), ...this.#texts(values), users: 0 };
      this.#layouts.set(key, layout);
      this.#bytes += layoutBytes(values);
    }
    layout.users++;
    return layout;
  }

  release(layout: BucketLayout): void {
    if (--layout.users > 0) return;
    this.#layouts.delete(layout.values.join());
    this.#bytes -= layoutBytes(layout.values);
  }

  #texts(values: Float64Array): Pick<BucketLayout, 'labels' | 'openMetricsLabels'> {
    const shown = [...values].filter((value) => this.#label !== 'le' || value !== Infinity);
    const texts = (write: (value: number) => string): string[] =>
      shown.map((value) => `${this.#label}="${write(value)}"} `);
    return { labels: texts(numberText), openMetricsLabels: texts(openMetricsNumber) };
  }
}

/** Two texts with the objects around them, the number, and its part of the key. */
const VALUE_BYTES = 150;
const LAYOUT_BYTES = 500;

/** An estimate of the memory of a layout that one series uses. */
export function layoutBytes({ length }: Float64Array): number {
  return LAYOUT_BYTES + length * VALUE_BYTES;
}

export function hasValues(layout: BucketLayout, values: Float64Array): boolean {
  const { values: own } = layout;
  if (own.length !== values.length) return false;
  for (let i = 0; i < own.length; i++) if (own[i] !== values[i]) return false;
  return true;
}

/** Bounds must increase and be numbers to become labels. */
export function isIncreasing(values: Float64Array): boolean {
  if (Number.isNaN(values[0])) return false;
  for (let i = 1; i < values.length; i++) if (!((values[i - 1] as number) < (values[i] as number))) return false;
  return true;
}
