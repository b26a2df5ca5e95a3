import { jsonText } from '../engine/json-text.ts';

/** The answer of `/api/tap`: the items that have passed an edge of a pipeline. */
export interface ShownSample {
  readonly pipeline: string;
  readonly edge: number;
  readonly seconds: number;
  /** All that passed, also what is not shown. */
  readonly batches: number;
  readonly items: number;
  readonly shown: readonly Readonly<Record<string, unknown>>[];
}

export function sampleText({ pipeline, edge, seconds, batches, items, shown }: ShownSample): string {
  const place = `${pipeline}, edge ${edge}`;
  if (batches === 0) return `${place}: nothing passed in ${seconds} s`;
  return `${place}: ${items} items in ${batches} batches in ${seconds} s, ${shown.length} of them:`;
}

/** An item on one line. */
export function itemLine(item: ShownSample['shown'][number]): string {
  return jsonText(item);
}
