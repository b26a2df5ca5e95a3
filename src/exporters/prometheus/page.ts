import { setImmediate as nextTurn } from 'node:timers/promises';
import { escapeHelp, quoteMetric, sampleText } from './label-text.ts';
import { typeWord } from './metric-type.ts';
import { MAX_NUMBER_BYTES, numberText, writeNumber } from './number-text.ts';
import { grow } from './key-table.ts';
import type { Distribution, Family, SeriesStore } from './series-store.ts';

const SERIES_PER_SLICE = 5000;

/** Renders the text format 0.0.4. Other work of the process goes on between slices. */
export class Page {
  #buffer: Buffer;
  #length = 0;
  readonly #store: SeriesStore;
  readonly #timestamps: boolean;

  constructor(store: SeriesStore, timestamps: boolean, expectedBytes: number) {
    this.#store = store;
    this.#timestamps = timestamps;
    this.#buffer = Buffer.allocUnsafe(expectedBytes + 4096);
  }

  async render(families: readonly Family[]): Promise<Buffer> {
    let untilPause = SERIES_PER_SLICE;
    for (const family of families) {
      let begun = false;
      for (let row = family.first; row >= 0; row = this.#store.next[row] as number) {
        if (this.#store.alive[row] === 1) {
          if (!begun) this.#header(family);
          begun = true;
          this.#series(family, row);
        }
        if (--untilPause > 0) continue;
        // oxlint-disable-next-line no-await-in-loop -- this is the pause
        await nextTurn();
        untilPause = SERIES_PER_SLICE;
      }
    }
    return this.#buffer.subarray(0, this.#length);
  }

  #header({ name, help, type }: Family): void {
    this.#write(`# HELP ${quoteMetric(name)} ${escapeHelp(help)}\n# TYPE ${quoteMetric(name)} ${typeWord(type)}\n`);
  }

  #series(family: Family, row: number): void {
    const start = this.#store.textStarts[row] as number;
    const length = this.#store.textLengths[row] as number;
    const distribution = this.#store.distributions[row];
    if (distribution === undefined) {
      this.#reserve(length + 2 * MAX_NUMBER_BYTES);
      this.#store.text.copy(this.#buffer, this.#length, start, start + length);
      this.#length += length;
      this.#value(this.#store.values[row] as number, row);
      return;
    }
    const labels = this.#store.text.toString('utf8', start, start + length);
    if (family.type === 'histogram') this.#buckets(family.name, labels, { ...distribution, row });
    else this.#quantiles(family.name, labels, { ...distribution, row });
    this.#sample(sampleText(`${family.name}_sum`, labels), distribution.sum, row);
    this.#sample(sampleText(`${family.name}_count`, labels), distribution.count, row);
  }

  #buckets(name: string, labels: string, { bounds, counts, count, row }: Distribution & { row: number }): void {
    let cumulative = 0;
    for (const [i, bound] of bounds.entries()) {
      cumulative += counts[i] ?? 0;
      if (bound !== Infinity) this.#sample(sampleText(`${name}_bucket`, and(labels, 'le', bound)), cumulative, row);
    }
    this.#sample(sampleText(`${name}_bucket`, and(labels, 'le', Infinity)), count, row);
  }

  #quantiles(name: string, labels: string, { bounds, counts, row }: Distribution & { row: number }): void {
    for (const [i, quantile] of bounds.entries()) {
      this.#sample(sampleText(name, and(labels, 'quantile', quantile)), counts[i] as number, row);
    }
  }

  #sample(text: string, value: number, row: number): void {
    this.#write(text);
    this.#reserve(2 * MAX_NUMBER_BYTES);
    this.#value(value, row);
  }

  /** ` value` or ` value timestamp`, and the end of the line. */
  #value(value: number, row: number): void {
    this.#buffer[this.#length++] = 0x20;
    this.#length = writeNumber(this.#buffer, this.#length, value);
    if (this.#timestamps) {
      const milliseconds = Math.floor((this.#store.times[row] as number) / 1e6);
      this.#length += this.#buffer.write(` ${milliseconds}`, this.#length, 'latin1');
    }
    this.#buffer[this.#length++] = 0x0a;
  }

  #write(text: string): void {
    this.#reserve(text.length * 3);
    this.#length += this.#buffer.write(text, this.#length);
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed > this.#buffer.length) {
      this.#buffer = grow(this.#buffer, Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2)));
    }
  }
}

function and(labels: string, name: string, value: number): string {
  return `${labels}${labels === '' ? '' : ','}${name}="${numberText(value)}"`;
}
