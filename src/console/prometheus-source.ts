import {
  momentsOf,
  type DataSource,
  type Exemplar,
  type Labels,
  type Sample,
  type Series,
  type Span,
  type Steps,
} from './data-source.ts';

type Value = readonly [timeS: number, value: string];

/** Sends a query of the HTTP API. */
export type Send = (
  path: string,
  parameters: URLSearchParams,
) => Promise<{ readonly status: number; readonly body: string }>;

/** Asks what speaks the HTTP API of Prometheus, version 1. */
export class PrometheusSource implements DataSource {
  readonly #send: Send;

  /** @param server the address of a server, or what answers instead of one. */
  constructor(server: string | Send) {
    this.#send = typeof server === 'string' ? overHttp(server) : server;
  }

  async labelValues(label: string, series: string, { fromS, toS }: Span): Promise<readonly string[]> {
    const values = await this.#ask<readonly string[]>(`label/${encodeURIComponent(label)}/values`, {
      'match[]': series,
      start: String(fromS),
      end: String(toS),
    });
    return values.toSorted();
  }

  async at(expression: string, atS: number): Promise<readonly Sample[]> {
    const { resultType, result } = await this.#ask<
      | { readonly resultType: 'scalar'; readonly result: Value }
      | {
          readonly resultType: 'vector';
          readonly result: readonly { readonly metric: Labels; readonly value: Value }[];
        }
    >('query', { query: expression, time: String(atS) });
    if (resultType === 'scalar') return [{ labels: {}, value: numberOf(result[1]) }];
    return result.map(({ metric, value }) => ({ labels: metric, value: numberOf(value[1]) }));
  }

  async over(expression: string, steps: Steps): Promise<readonly Series[]> {
    const { fromS, toS, stepS } = steps;
    const { result } = await this.#ask<{
      readonly result: readonly { readonly metric: Labels; readonly values: readonly Value[] }[];
    }>('query_range', { query: expression, start: String(fromS), end: String(toS), step: String(stepS) });
    const moments = momentsOf(steps);
    return result.map(({ metric, values }) => {
      const known = new Map(values.map(([timeS, value]) => [Math.round((timeS - fromS) / stepS), numberOf(value)]));
      return { labels: metric, values: moments.map((_, index) => finite(known.get(index))) };
    });
  }

  async exemplars(expression: string, { fromS, toS }: Span): Promise<readonly Exemplar[]> {
    const series = await this.#ask<
      readonly {
        readonly exemplars: readonly { readonly labels: Labels; readonly value: string; readonly timestamp: number }[];
      }[]
    >('query_exemplars', { query: expression, start: String(fromS), end: String(toS) });
    return series.flatMap(({ exemplars }) =>
      exemplars.map(({ labels, value, timestamp }) => ({ labels, timeS: timestamp, value: numberOf(value) })),
    );
  }

  async #ask<T>(path: string, parameters: Record<string, string>): Promise<T> {
    const { status, body } = await this.#send(`/api/v1/${path}`, new URLSearchParams(parameters));
    const answer = parsed<T>(body);
    if (answer?.status !== 'success') throw new Error(answer?.error ?? `Prometheus answered ${status}`);
    return answer.data;
  }
}

function overHttp(base: string): Send {
  return async (path, parameters) => {
    const response = await fetch(`${base}${path}?${parameters.toString()}`);
    return { status: response.status, body: await response.text() };
  };
}

interface Answer<T> {
  readonly status: string;
  readonly data: T;
  readonly error?: string;
}

function parsed<T>(text: string): Answer<T> | undefined {
  try {
    return JSON.parse(text) as Answer<T>;
  } catch {
    return undefined;
  }
}

/** Parses a number in Prometheus's notation. */
function numberOf(text: string): number {
  if (text === '+Inf') return Infinity;
  return text === '-Inf' ? -Infinity : Number(text);
}

/** A value that cannot be drawn becomes a gap. */
function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
