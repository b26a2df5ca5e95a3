import { userSql } from '../../../../postgres/user-sql.ts';
import type { GaugeQuery } from '../query.ts';
import type { UserGaugeConfig } from './config.ts';
import { labelsOf } from './counter.ts';

/** The user's SQL as a gauge query. Rows that end up with the same labels cannot be merged. */
export function userGauge(config: UserGaugeConfig): GaugeQuery {
  const { metric_name: name, unit, description, value_column, labels, sql } = config;
  const metric = { kind: 'gauge', name, unit, description, labels: labelsOf(config), source: 'poller' } as const;
  return {
    needs: {},
    metrics: { [value_column]: { metric, merge: 'drop' } },
    columns: [value_column, ...labels],
    statement: () => ({ text: userSql(sql) }),
  };
}
