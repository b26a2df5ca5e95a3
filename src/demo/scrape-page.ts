/** What a scrape endpoint shows, in the text format 0.0.4, as far as the demo asks. */
export class ScrapePage {
  readonly #samples: readonly Sample[];

  constructor(text: string) {
    this.#samples = text.split('\n').flatMap((line) => parseSample(line) ?? []);
  }

  /** Whether a counter or gauge of this name, or a histogram, has a series. */
  has(name: string): boolean {
    return this.#samples.some((sample) => sample.name === name || sample.name === `${name}_count`);
  }

  /** The sum over the series that carry all these labels; undefined without such a series. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const matching = this.#samples.filter(
      (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    );
    return matching.length === 0 ? undefined : matching.reduce((sum, { value }) => sum + value, 0);
  }
}

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

function parseSample(line: string): Sample | undefined {
  const [, name, labels = '', value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
  if (name === undefined || value === undefined) return undefined;
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text] as const);
  return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) };
}
