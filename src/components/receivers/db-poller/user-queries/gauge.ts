import { quoteTable } from '../../../../postgres/identifier.ts';
import { userSql } from '../../../../postgres/user-sql.ts';
import type { GaugeQuery, Row } from '../query.ts';
import type { UserGaugeConfig } from './config.ts';
import { descriptionOf } from './description.ts';
import { describedLabels, labelColumns, labelled, labelSql } from './labels.ts';
import { VALUE, valueSql } from './value.ts';

/** The user's SQL, or a view or table, as a gauge query. Rows that end up with the same labels cannot be merged. */
export function userGauge(config: UserGaugeConfig): GaugeQuery {
  const { metric_name: name, unit, labels, max_label_values } = config;
  const described = describedLabels(labels, max_label_values);
  const metric = {
    kind: 'gauge',
    name,
    unit,
    description: descriptionOf(config),
    labels: described,
    source: 'poller',
  } as const;
  return { needs: {}, metrics: { [VALUE]: { metric, merge: 'drop' } }, ...answerOf(config) };
}

function answerOf(config: UserGaugeConfig): Pick<GaugeQuery, 'columns' | 'statement' | 'derive' | 'sql'> {
  const { sql, table, value_column, labels } = config;
  if (sql === undefined) {
    const select = [...labelSql(labels), ...valueSql(config)].join(', ');
    const names = labels.filter(({ column }) => column !== undefined).map((label) => label.name);
    return {
      columns: [...names, VALUE],
      statement: () => ({ text: `select ${select} from ${quoteTable(table!)} entry` }),
    };
  }
  const read = (row: Row): Row => ({ ...labelled(labels, row), [VALUE]: row[value_column!] });
  return {
    columns: [value_column!, ...labelColumns(labels)],
    sql: userSql(sql),
    statement: () => ({ text: userSql(sql) }),
    derive: (rows) => rows.map(read),
  };
}
