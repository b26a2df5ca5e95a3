/** Alerts as data. `alert-rules.ts` turns them into rules; the runbook of each describes what to do. */
import type { DashboardUid } from '../model/panel.ts';
import type { Duration } from '../promql/node.ts';
import type { Vector } from '../promql/vector.ts';
import type { Threshold } from '../threshold.ts';
import { valueTemplate } from './quantity.ts';

export const severities = ['warning', 'critical'] as const;

/** How bad the value is. It colours panels; `Level` decides who hears of it. */
export type Severity = (typeof severities)[number];

export const levels = ['page', 'ticket', 'info'] as const;

/** `page`: somebody is called, at any hour. `ticket`: somebody works on it within a working day. `info`: no action is needed. */
export type Level = (typeof levels)[number];

export interface Alert {
  readonly name: string;
  /** Who knows what to do. Its alerts are one group of rules. */
  readonly owner: string;
  /** The value that is compared with the threshold. Without a threshold it exists only if something is wrong. */
  readonly measured: Vector;
  /** A threshold, with a rule for each limit; or the severity if `measured` exists. */
  readonly raisedBy: { readonly threshold: Threshold } | { readonly severity: Severity | 'none' };
  /** Who hears of it; a ticket unless it is given here. */
  readonly level?: Readonly<Partial<Record<Severity, Level>>>;
  /** The alert fires only if this exists too: for example, enough events for a share. */
  readonly guard?: Vector;
  readonly for: Duration;
  /** How long the alert keeps firing after the value has recovered or is missing. */
  readonly keepFiringFor?: Duration;
  /** Additional labels of the alert. Each repeats the value of a label of `measured`. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The problem in one line; a Prometheus template. */
  readonly summary: string;
  /** The same with the value; `limit` is what it has passed. */
  readonly description: (limit: string) => string;
  /** Explains what the alert does without the measured series, and why that is right. */
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

/** Who hears of an alert of this severity. The watchdog has no level. */
export function levelOf({ level }: Pick<Alert, 'level'>, severity: Severity): Level {
  return level?.[severity] ?? 'ticket';
}
