import type { CounterMetric, HistogramMetric } from '../../../../metrics/metric.ts';
import { quoteIdentifier, quoteTable } from '../../../../postgres/identifier.ts';
import { userSql } from '../../../../postgres/user-sql.ts';
import { boundByColumn, type CounterQuery } from '../query.ts';
import type { UserCounterConfig } from './config.ts';
import { descriptionOf } from './description.ts';
import { describedLabels, labelColumns, labelSql, writtenLabels } from './labels.ts';
import { VALUE, valueColumns, valueSql } from './value.ts';

const HOUR_MS = 3_600_000;
const BATCH_ROWS = 10_000;
const EVENT = 'holds';

/** The counter query for a table of the user. */
export function userCounter(config: UserCounterConfig, key: readonly string[]): CounterQuery {
  const { labels, table, time_column } = config;
  const columns = [...new Set([...labelColumns(labels), ...valueColumns(config)])].map(quoteIdentifier);
  const select = [...labelSql(labels), ...valueSql(config)].join(', ') || '1 as counted';
  const isOneSeries = labelColumns(labels).length === 0;
  return {
    needs: {},
    table: quoteTable(table),
    key: key.map(quoteIdentifier),
    columns,
    batchRows: BATCH_ROWS,
    ...(time_column === undefined ? {} : { bound: boundByColumn(quoteIdentifier(time_column), HOUR_MS) }),
    ...eventsOf(config),
    details: () => ({ select, joins: '' }),
    known: () => ({ text: 'select 1 as known' }),
    ...(isOneSeries ? {} : { existing: () => ({ text: existingLabels(config) }) }),
    metrics: [
      {
        metric: metricOf(config),
        ...(isKeyed(config) ? { event: EVENT } : {}),
        ...(config.kind === 'counter' ? {} : { value: VALUE }),
        // Only one series exists, so it is known.
        fromZero: isOneSeries,
      },
    ],
    meaning: meaningOf(config, key),
  };
}

/** Reading and sorting them takes a fraction of a second. */
const LATEST_ROWS = 100_000;
const MOST_COMBINATIONS = 1000;

/**
 * The most frequent combinations of labels among the latest rows that would count. Not every type can be grouped, so the
 * values are compared as literals.
 */
function existingLabels({ labels, table, time_column, where }: UserCounterConfig): string {
  const columns = labels.filter(({ column }) => column !== undefined).map(({ name }) => quoteIdentifier(name));
  const literals = columns.map((column) => `format('%L', ${column}) collate "C"`);
  return `
    with latest as (
      select ${labelSql(labels).join(', ')} from ${quoteTable(table)} entry
      ${where === undefined ? '' : `where (${userSql(where)}\n)`}
      ${time_column === undefined ? '' : `order by entry.${quoteIdentifier(time_column)} desc`} limit ${LATEST_ROWS}
    ), ranked as (
      select *, row_number() over combination as siphon_number, count(*) over combination as siphon_rows
      from latest window combination as (partition by ${literals.join(', ')})
    )
    select ${columns.join(', ')} from ranked where siphon_number = 1 order by siphon_rows desc limit ${MOST_COMBINATIONS}`;
}

/** True if each key counts only once. */
export function isKeyed({ append_only }: UserCounterConfig): boolean {
  return !append_only;
}

function eventsOf(config: UserCounterConfig): Pick<CounterQuery, 'events' | 'everyRow' | 'filter'> {
  const where = config.where === undefined ? undefined : userSql(config.where);
  if (!isKeyed(config)) return where === undefined ? {} : { filter: where };
  return where === undefined ? { events: { [EVENT]: 'true' }, everyRow: EVENT } : { events: { [EVENT]: where } };
}

/** Without the settings that change only when a query runs, and what is written next to its numbers. */
function meaningOf(config: UserCounterConfig, key: readonly string[]): string {
  const { name: _, description: _d, collection_interval: _i, timeout: _t, ...counted } = config;
  return JSON.stringify([{ ...counted, labels: writtenLabels(counted.labels) }, key]);
}

function metricOf(config: UserCounterConfig): CounterMetric | HistogramMetric {
  const { metric_name: name, unit } = config;
  const described = {
    name,
    unit,
    description: descriptionOf(config),
    labels: describedLabels(config.labels, config.max_label_values),
    source: 'poller',
  } as const;
  return config.kind === 'histogram'
    ? { ...described, kind: 'histogram', buckets: config.buckets }
    : { ...described, kind: 'counter' };
}
