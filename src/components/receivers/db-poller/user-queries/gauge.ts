import type { Metric } from '../../../../metrics/metric.ts';
import { userSql } from '../../../../postgres/user-sql.ts';
import type { StatePoll } from '../query.ts';
import type { OwnGaugeConfig } from './config.ts';
import { labelsOf } from './own-labels.ts';

/** What a query of the user answers, as a gauge. Rows whose labels become the same have no true value together. */
export function ownGauge(config: OwnGaugeConfig): {
  readonly query: StatePoll;
  readonly described: Readonly<Record<string, Metric>>;
} {
  const { metric_name: name, unit, description, value_column, labels, sql } = config;
  return {
    query: {
      needs: {},
      metrics: { [value_column]: 'drop' },
      columns: [value_column, ...labels],
      statement: () => ({ text: userSql(sql) }),
    },
    described: {
      [value_column]: { kind: 'gauge', name, unit, description, labels: labelsOf(config), source: 'poller' },
    },
  };
}
