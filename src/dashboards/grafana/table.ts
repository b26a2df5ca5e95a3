import { TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard';
import type { ColumnModel, QueryModel, TableModel } from '../model/dashboard-model.ts';
import { stepsOf } from './colors.ts';
import { grafanaUnit } from './unit.ts';

/** The answers of all queries side by side, a line for each set of labels. */
export function tablePanel({ queries, labels, sortBy, leadsToValue, names }: TableModel): TableBuilder {
  const order = [...labels, ...queries.map(valueField)];
  const builder = new TableBuilder()
    .sortBy([new TableSortByFieldStateBuilder().displayName(sortBy).desc(true)])
    .transformations([
      { id: 'merge', options: {} },
      {
        id: 'organize',
        options: {
          excludeByName: { Time: true },
          indexByName: Object.fromEntries(order.map((name, index) => [name, index])),
          renameByName: Object.fromEntries([
            ...queries.map((query) => [valueField(query), query.legend]),
            ...labels.filter((label) => label in names).map((label) => [label, names[label]]),
          ]),
        },
      },
    ]);
  for (const query of queries) builder.overrideByName(query.legend, columnProperties(query));
  const mappings = Object.entries(names).map(([code, text]) => ({ type: 'value', options: { [code]: { text } } }));
  if (mappings.length > 0)
    for (const label of labels) builder.overrideByName(names[label] ?? label, [{ id: 'mappings', value: mappings }]);
  for (const [label, { dashboard, title }] of Object.entries(leadsToValue)) {
    const url = `/d/${dashboard}?var-${label}=\${__value.text}&\${__url_time_range}`;
    builder.overrideByName(names[label] ?? label, [{ id: 'links', value: [{ title, url }] }]);
  }
  return builder;
}

/** Grafana's name for the values of a query in a merged table. */
function valueField({ refId }: QueryModel): string {
  return `Value #${refId}`;
}

function columnProperties({ unit, thresholds }: ColumnModel): DynamicConfigValue[] {
  const properties: DynamicConfigValue[] = [{ id: 'unit', value: grafanaUnit(unit) }];
  if (thresholds === undefined) return properties;
  return [
    ...properties,
    { id: 'thresholds', value: { mode: 'absolute', steps: stepsOf(thresholds) } },
    { id: 'custom.cellOptions', value: { type: 'color-text' } },
  ];
}
