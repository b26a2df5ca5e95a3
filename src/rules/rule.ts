/** Rules, as a file of Prometheus describes them. Times are milliseconds. */
import type { Expression } from '../promql/syntax/expression.ts';
import type { Template } from './template/template.ts';

export interface RuleGroup {
  readonly name: string;
  /** The file, or the packs, that the group comes from. */
  readonly file: string;
  readonly intervalMs: number;
  /** How many alerts or series a rule may have; 0 for no limit. */
  readonly limit: number;
  /** In the order of their evaluation: a rule sees the results of those before. */
  readonly rules: readonly Rule[];
}

export type Rule = RecordingRule | AlertingRule;

interface AnyRule {
  readonly name: string;
  /** The expression as it is written. */
  readonly query: string;
  readonly expression: Expression;
  readonly reachMs: number;
}

export interface RecordingRule extends AnyRule {
  readonly kind: 'recording';
  readonly labels: ReadonlyMap<string, string>;
}

export interface AlertingRule extends AnyRule {
  readonly kind: 'alerting';
  readonly holdMs: number;
  readonly keepFiringMs: number;
  readonly labels: ReadonlyMap<string, Template>;
  readonly annotations: ReadonlyMap<string, Template>;
}
