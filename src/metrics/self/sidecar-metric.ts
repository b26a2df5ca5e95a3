/** How the sidecar's own metrics are described, and the labels that they share. */
import type { BudgetedLabel, Metric } from '../metric.ts';

type Description = Metric extends infer One ? (One extends Metric ? Omit<One, 'name' | 'source'> : never) : never;

/** Adds the name, which is the key: the sidecar's own page does not translate names. */
export function sidecarMetrics<const All extends Readonly<Record<string, Description>>>(
  metrics: All,
): { readonly [Name in keyof All & string]: All[Name] & { readonly name: Name; readonly source: 'sidecar' } } {
  const named = Object.entries(metrics).map(([name, metric]) => [name, { ...metric, name, source: 'sidecar' }]);
  return Object.fromEntries(named) as ReturnType<typeof sidecarMetrics<All>>;
}

const fromConfiguration = true;

export const receiver: BudgetedLabel = { maxValues: 10, description: 'id of the receiver', fromConfiguration };
export const processor: BudgetedLabel = { maxValues: 10, description: 'id of the processor', fromConfiguration };
export const connector: BudgetedLabel = { maxValues: 10, description: 'id of the connector', fromConfiguration };
export const exporter: BudgetedLabel = { maxValues: 10, description: 'id of the exporter', fromConfiguration };
export const extension: BudgetedLabel = { maxValues: 10, description: 'id of the extension', fromConfiguration };

export const transports = ['http', 'grpc', 'postgresql'] as const;
export const signals = ['traces', 'metrics', 'logs'] as const;
