import { escapeLabels, escapeName, type EscapingScheme } from '../names/escaping-scheme.ts';
import { Families, type Family } from '../series/family.ts';

/** On a page, the first family keeps its name. */
const NOBODY = { origin: 'sent', nowMs: 0 } as const;

/** The names on one page, in an escaping scheme. If several names are escaped to the same text, the first is shown. */
export class PageNames {
  readonly #scheme: EscapingScheme;
  readonly #families: Families;
  #labels = new Set<string>();

  constructor(scheme: EscapingScheme, openMetrics: boolean) {
    this.#scheme = scheme;
    this.#families = new Families(openMetrics);
  }

  /** The family's name, or undefined if another family on the page has it. */
  ofFamily({ name, type, help, unit }: Family): string | undefined {
    const escaped = escapeName(name, this.#scheme);
    const family = this.#families.claim({ name: escaped, type, help, unit }, NOBODY);
    if (family === undefined || family.live > 0) return undefined;
    family.live = 1;
    this.#labels = new Set();
    return escaped;
  }

  /** The labels of a series of that family, or undefined if another series has them. */
  ofSeries(labels: string): string | undefined {
    const escaped = escapeLabels(labels, this.#scheme);
    if (this.#labels.has(escaped)) return undefined;
    this.#labels.add(escaped);
    return escaped;
  }
}
