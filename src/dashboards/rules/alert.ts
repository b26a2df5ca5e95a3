/** What an alert is, as data. `alert-rules.ts` makes rules of it, a runbook in docs/runbooks says what to do. */
import type { DashboardUid } from '../model/panel.ts';
import type { Duration } from '../promql/node.ts';
import type { Vector } from '../promql/vector.ts';
import type { Threshold } from '../threshold.ts';
import { valueTemplate } from './quantity.ts';

export const severities = ['warning', 'critical'] as const;

/** `warning`: look at it today. `critical`: somebody is called. */
export type Severity = (typeof severities)[number];

export interface Alert {
  readonly name: string;
  /** Who knows what to do. Its alerts are one group of rules. */
  readonly owner: string;
  /** What is compared with the threshold; without a threshold, what is there only when something is wrong. */
  readonly measured: Vector;
  /** Whose numbers it is compared with, each of which is a rule; or how bad it is that it is there. */
  readonly raisedBy: { readonly threshold: Threshold } | { readonly severity: Severity | 'none' };
  /** Fires only where this is there too: enough events to tell. */
  readonly guard?: Vector;
  readonly for: Duration;
  /** How long it goes on when the measured value has become better or is gone. */
  readonly keepFiringFor?: Duration;
  /** Labels that the alert has besides those of what is measured: the label whose value each one repeats, by name. */
  readonly labels?: Readonly<Record<string, string>>;
  /** What is wrong, in one line; a template of Prometheus. */
  readonly summary: string;
  /** The same with the value; `limit` is what it has passed. */
  readonly description: (limit: string) => string;
  /** What happens when the measured series are not there, and why that is right. */
  readonly whenMissing: string;
  /** The panel that shows it; the watchdog has none. */
  readonly panel?: { readonly dashboard: DashboardUid; readonly title: string };
}

type Placeholders<Label extends string> = Readonly<Record<Label | 'value', string>>;

interface AlertText<Label extends string> {
  readonly measured: Vector<Label>;
  readonly guard?: Vector<NoInfer<Label>>;
  readonly labels?: Readonly<Record<string, NoInfer<Label>>>;
  readonly summary: (labels: Placeholders<NoInfer<Label>>) => string;
  readonly description: (labels: Placeholders<NoInfer<Label>>, limit: string) => string;
}

/** An alert whose texts may use the value and the labels that the expression has, and no others. */
export function alert<Label extends string>({
  summary,
  description,
  ...rest
}: Omit<Alert, keyof AlertText<Label>> & AlertText<Label>): Alert {
  const labels = Object.fromEntries(rest.measured.labels.map((label) => [label, `{{ $labels.${label} }}`]));
  const placeholders = { ...labels, value: valueTemplate(rest.measured.unit) } as Placeholders<Label>;
  return {
    ...rest,
    summary: summary(placeholders),
    description: (limit) => description(placeholders, limit),
  };
}
