import type { KnownMetricName, knownMetrics } from '../../packs/known-metrics.ts';
import type { Node } from './node.ts';

type Known = typeof knownMetrics;

/** What Prometheus puts on every series. */
export type TargetLabel = 'job' | 'instance';

export type LabelOf<Name extends KnownMetricName> = (keyof Known[Name]['labels'] & string) | TargetLabel;

export type ValueOf<Name extends KnownMetricName, Label> = Label extends keyof Known[Name]['labels']
  ? Known[Name]['labels'][Label] extends readonly (infer Value extends string)[]
    ? Value
    : string
  : string;

type NameOfKind<Kind> = {
  [Name in KnownMetricName]: Known[Name]['kind'] extends Kind ? Name : never;
}[KnownMetricName];

export type CounterName = NameOfKind<'counter'>;
export type GaugeName = NameOfKind<'gauge'>;
export type HistogramName = NameOfKind<'histogram'>;

/** Upper bounds that the histogram has. */
export type BoundOf<Name extends HistogramName> = Known[Name]['buckets'][number];

interface Typed<Label extends string> {
  readonly node: Node;
  /** UCUM, as in the catalogue. */
  readonly unit: string;
  readonly labels: readonly Label[];
}

/** Series as they were scraped. Beside `Label` they carry labels that the catalogue does not know, such as `otel_scope_name`. */
export interface Series<Label extends string = string> extends Typed<Label> {
  readonly form: 'series';
}

/** Series with exactly the labels `Label`: what panels and rules are made of. */
export interface Vector<Label extends string = string> extends Typed<Label> {
  readonly form: 'vector';
}
