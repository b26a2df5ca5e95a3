/** The content of a scrape endpoint in text format 0.0.4, with the lookups that the demo needs. */
export class ScrapePage {
  readonly #samples: readonly Sample[];

  constructor(text: string) {
    this.#samples = text.split('\n').flatMap((line) => parseSample(line) ?? []);
  }

  /** The number of series of a counter, gauge or histogram. */
  seriesCount(name: string): number {
    return this.#samples.filter((sample) => sample.name === name || sample.name === `${name}_count`).length;
  }

  /** The sum of all series with these labels; undefined without such a series. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const matching = this.#matching(name, labels);
    return matching.length === 0 ? undefined : matching.reduce((sum, { value }) => sum + value, 0);
  }

  /** The sums of all series with these labels, grouped by the value of another label. */
  sumBy(label: string, name: string, labels: Readonly<Record<string, string>> = {}): ReadonlyMap<string, number> {
    const sums = new Map<string, number>();
    for (const sample of this.#matching(name, labels)) {
      const value = sample.labels[label] ?? '';
      sums.set(value, (sums.get(value) ?? 0) + sample.value);
    }
    return sums;
  }

  #matching(name: string, labels: Readonly<Record<string, string>>): readonly Sample[] {
    const wanted = Object.entries(labels);
    return this.#samples.filter(
      (sample) => sample.name === name && wanted.every(([key, value]) => sample.labels[key] === value),
    );
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

export async function scrape(port: number): Promise<ScrapePage> {
  return new ScrapePage(await read(port, 'text/plain'));
}

/** The traces that exemplars refer to. Only OpenMetrics has exemplars. */
export async function linkedTraces(port: number): Promise<ReadonlySet<string>> {
  const text = await read(port, 'application/openmetrics-text');
  return new Set([...text.matchAll(/ # \{[^}]*trace_id="(\w+)"/g)].map(([, id]) => id!));
}

async function read(port: number, accept: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { accept } });
  if (!response.ok) throw new Error(`the scrape endpoint answered ${response.status}`);
  return await response.text();
}
