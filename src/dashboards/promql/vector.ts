import type { Node } from './node.ts';

/** The labels that Prometheus adds to every series. */
export type TargetLabel = 'job' | 'instance';

interface Typed<Label extends string> {
  readonly node: Node;
  /** UCUM, as in the description of the metric. */
  readonly unit: string;
  readonly labels: readonly Label[];
}

/** Series as they were scraped. They may have labels other than `Label`, such as `otel_scope_name`. */
export interface Series<Label extends string = string> extends Typed<Label> {
  readonly form: 'series';
}

/** Series with exactly the labels `Label`. Panels and rules consist of these. */
export interface Vector<Label extends string = string> extends Typed<Label> {
  readonly form: 'vector';
}
