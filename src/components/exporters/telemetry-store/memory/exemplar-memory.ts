/** A measurement that refers to the span that it was made in. */
export interface StoredExemplar {
  readonly traceId: string;
  readonly spanId: string;
  readonly value: number;
  readonly timeUnixNano: bigint;
}

export interface MetricExemplars {
  readonly metric: string;
  readonly unit: string;
  /** The one that was made last comes last. */
  readonly exemplars: readonly StoredExemplar[];
}

const MAX_METRICS = 500;
export const MAX_OF_METRIC = 100;

/** The last exemplars of each metric. */
export class ExemplarMemory {
  /** The metric that was seen last comes last. */
  readonly #metrics = new Map<string, { unit: string; readonly exemplars: Map<string, StoredExemplar> }>();

  /** The names of all metrics that have exemplars. */
  get metrics(): readonly string[] {
    return [...this.#metrics.keys()];
  }

  /** Senders repeat an exemplar until another one replaces it. */
  add(metric: string, unit: string, exemplar: StoredExemplar): void {
    const known = this.#metrics.get(metric) ?? { unit, exemplars: new Map<string, StoredExemplar>() };
    this.#metrics.delete(metric);
    this.#metrics.set(metric, known);
    forgetOldest(this.#metrics, MAX_METRICS);
    known.unit = unit;
    known.exemplars.set(`${exemplar.timeUnixNano} ${exemplar.spanId} ${exemplar.value}`, exemplar);
    forgetOldest(known.exemplars, MAX_OF_METRIC);
  }

  /** For another process. */
  get content(): readonly MetricExemplars[] {
    return this.metrics.flatMap((metric) => this.of(metric) ?? []);
  }

  /** Adds what an earlier process knew. */
  restore(content: readonly MetricExemplars[]): void {
    const seenSince = this.content;
    for (const { metric, unit, exemplars } of [...content, ...seenSince])
      for (const exemplar of exemplars) this.add(metric, unit, exemplar);
  }

  /** Undefined if the metric has none. */
  of(metric: string): MetricExemplars | undefined {
    const known = this.#metrics.get(metric);
    if (known === undefined) return undefined;
    const exemplars = [...known.exemplars.values()];
    return {
      metric,
      unit: known.unit,
      exemplars: exemplars.toSorted((a, b) => Number(a.timeUnixNano - b.timeUnixNano)),
    };
  }
}

function forgetOldest(map: Map<string, unknown>, limit: number): void {
  if (map.size <= limit) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
