import { Families, type Family } from '../series/family.ts';
import { escapeLabels, escapeName, type EscapingScheme } from './name-escaping.ts';

/** The names of one page in an escaping scheme. Names that become one are shown once: of the first in order. */
export class EscapedNames {
  readonly #scheme: EscapingScheme;
  readonly #families: Families;
  #labels = new Set<string>();

  constructor(scheme: EscapingScheme, openMetrics: boolean) {
    this.#scheme = scheme;
    this.#families = new Families(openMetrics);
  }

  /** The family's name, or undefined where another family of the page has it. */
  ofFamily({ name, type, help, unit }: Family): string | undefined {
    const escaped = escapeName(name, this.#scheme);
    const family = this.#families.claim({ name: escaped, type, help, unit });
    if (family === undefined || family.live > 0) return undefined;
    family.live = 1;
    this.#labels = new Set();
    return escaped;
  }

  /** The labels of a series of that family, or undefined where another series has them. */
  ofSeries(labels: string): string | undefined {
    const escaped = escapeLabels(labels, this.#scheme);
    if (this.#labels.has(escaped)) return undefined;
    this.#labels.add(escaped);
    return escaped;
  }
}
