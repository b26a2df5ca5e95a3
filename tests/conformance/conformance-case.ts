import { from, type Json } from './otlp-json.ts';

/** The input of a case. The expected output was recorded from the stock Collector under the same name. */
export interface ConformanceCase {
  readonly name: string;
  /** Options of the exporter; without any, the scope's labels are left out to keep the pages short. */
  readonly config?: { readonly [option: string]: Json };
  /** Sent one after the other. */
  readonly requests: readonly Request[];
  /** Options of the `span_metrics` connector, if the requests are spans. */
  readonly connector?: { readonly [option: string]: Json };
  /** Processors before the connector, or before the exporter if the requests are metrics, with their options. */
  readonly processors?: { readonly [type: string]: { readonly [option: string]: Json } };
  /** Time between the last request and the scrape. */
  readonly waitMs?: number;
  /** The scrape's Accept header. */
  readonly accept?: string;
  /** The stock Collector's answer hangs on the order of a Go map, so that none is recorded. */
  readonly stockIsRandom?: true;
  /** siphon answers otherwise on purpose. */
  readonly differs?: Difference;
}

export interface Difference {
  /** The row of docs/compatibility.md that gives the reason. */
  readonly id: string;
  /** The whole page of siphon. */
  readonly page: readonly string[];
}

/** The list of `ResourceMetrics`, or of `ResourceSpans`. */
export type Request = readonly Json[];

export const DEFAULT_CONFIG = { without_scope_info: true };

/** Metrics of an empty resource and scope. */
export function metrics(...list: readonly Json[]): Request {
  return [from({}, {}, list)];
}
