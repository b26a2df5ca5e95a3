import type { BudgetedLabel, CounterMetric, HistogramMetric } from '../../../../metrics/metric.ts';
import { quoteIdentifier } from '../../../../postgres/identifier.ts';
import { boundByColumn, type CounterQuery } from '../query.ts';
import type { UserQueryConfig, UserCounterConfig } from './config.ts';

const HOUR_MS = 3_600_000;
const BATCH_ROWS = 10_000;
const EVENT = 'holds';

/** The counter query for a table of the user. */
export function userCounter(config: UserCounterConfig, key: readonly string[]): CounterQuery {
  const { labels, table, time_column } = config;
  const valueColumns = config.kind === 'histogram' ? [config.value_column] : [];
  const columns = [...new Set([...labels, ...valueColumns])].map(quoteIdentifier);
  return {
    needs: {},
    table: table.split('.').map(quoteIdentifier).join('.'),
    key: key.map(quoteIdentifier),
    columns,
    batchRows: BATCH_ROWS,
    ...(time_column === undefined ? {} : { bound: boundByColumn(quoteIdentifier(time_column), HOUR_MS) }),
    ...eventsOf(config),
    details: () => ({ select: columns.map((column) => `entry.${column}`).join(', ') || '1 as counted', joins: '' }),
    known: () => ({ text: 'select 1 as known' }),
    metrics: [
      {
        metric: metricOf(config),
        ...(isKeyed(config) ? { event: EVENT } : {}),
        ...(config.kind === 'histogram' ? { value: config.value_column } : {}),
        // Without labels only one series exists, so it is known.
        fromZero: labels.length === 0,
      },
    ],
    meaning: JSON.stringify([config, key]),
  };
}

/** True if each key counts only once. */
export function isKeyed({ once, where }: UserCounterConfig): boolean {
  return once || where !== undefined;
}

function eventsOf(config: UserCounterConfig): Pick<CounterQuery, 'events' | 'everyRow'> {
  if (!isKeyed(config)) return {};
  const { where } = config;
  return where === undefined ? { events: { [EVENT]: 'true' }, everyRow: EVENT } : { events: { [EVENT]: where } };
}

function metricOf(config: UserCounterConfig): CounterMetric | HistogramMetric {
  const { metric_name: name, unit, description } = config;
  const described = { name, unit, description, labels: labelsOf(config), source: 'poller' } as const;
  return config.kind === 'histogram'
    ? { ...described, kind: 'histogram', buckets: config.buckets }
    : { ...described, kind: 'counter' };
}

export function labelsOf({ labels, max_label_values }: UserQueryConfig): Readonly<Record<string, BudgetedLabel>> {
  return Object.fromEntries(labels.map((label) => [label, { maxValues: max_label_values, description: '' }]));
}
