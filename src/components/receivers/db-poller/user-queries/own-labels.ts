import type { BudgetedLabel } from '../../../../metrics/metric.ts';
import type { OwnQueryConfig } from './config.ts';

export function labelsOf({ labels, max_label_values }: OwnQueryConfig): Readonly<Record<string, BudgetedLabel>> {
  return Object.fromEntries(labels.map((label) => [label, { maxValues: max_label_values, description: '' }]));
}
