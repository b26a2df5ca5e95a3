import { textOf } from './unit-text.ts';

/** The pipelines that run, with the numbers of each component and of each edge between them. */
export interface PipelinesState {
  readonly version: string;
  readonly status: string;
  readonly degraded: readonly string[];
  readonly uptimeSeconds: number;
  readonly extensions: readonly string[];
  readonly atUnixMs: number;
  readonly pipelines: readonly PipelineState[];
  readonly ledger: readonly AccountState[];
  /** Sentences that name missing components, and how to add them. */
  readonly missing: readonly string[];
}

export interface PipelineState {
  readonly id: string;
  /** Receivers, each processor alone, exporters. */
  readonly stages: readonly (readonly ComponentState[])[];
  /** The numbers between a stage and the next one. */
  readonly edges: readonly (readonly NamedNumber[])[];
}

export interface ComponentState {
  readonly kind: 'receiver' | 'processor' | 'exporter';
  readonly id: string;
  readonly numbers: readonly NamedNumber[];
}

export interface NamedNumber {
  readonly name: string;
  readonly value: number;
  /** `spans/s`; empty for items that are counted. */
  readonly unit: string;
  readonly expression: string;
  /** True for losses and refusals, also those that are over. */
  readonly isBad: boolean;
}

/** `accepted 15.9 spans/s` */
export function numberText({ name, value, unit }: NamedNumber): string {
  return `${name} ${textOf(value, '')} ${unit}`.trim();
}

/** For each pipeline and exporter: accepted = delivered + waiting + dropped. */
export interface AccountState {
  readonly account: string;
  readonly signal: string;
  readonly accepted: number;
  readonly delivered: number;
  readonly waiting: number;
  /** The number of items by the reason of their loss. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Items whose fate is not known: other than 0 for longer is a defect. */
  readonly difference: number;
}

/** The things that a signal consists of. */
export const ITEMS: Readonly<Record<string, string>> = {
  traces: 'spans',
  metrics: 'metric_points',
  logs: 'log_records',
};

/** `traces` of `traces/name`. */
export function signalOf(pipeline: string): string {
  return pipeline.split('/')[0] ?? '';
}

/** `12 (queue_full)` */
export function droppedText(dropped: AccountState['dropped']): string {
  const reasons = Object.entries(dropped).map(([reason, count]) => `${count} (${reason})`);
  return reasons.length === 0 ? '0' : reasons.join(', ');
}
