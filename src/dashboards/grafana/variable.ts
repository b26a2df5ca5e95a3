import {
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
  type VariableModel as GrafanaVariable,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { ValuesVariableModel, VariableModel } from '../model/dashboard-model.ts';
import { datasourceRef } from './datasource.ts';

/** All values, also those of series that lack the label. */
const ALL_VALUES = '.*';

export function grafanaVariable(variable: VariableModel): Builder<GrafanaVariable> {
  const { name, label, description } = variable;
  switch (variable.kind) {
    case 'datasource':
      return new DatasourceVariableBuilder(name).label(label).description(description).type('prometheus');
    case 'values':
      return new QueryVariableBuilder(name)
        .label(label)
        .description(description)
        .datasource(datasourceRef)
        .query(labelValues(variable))
        .definition(labelValues(variable))
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .sort(VariableSort.AlphabeticalAsc)
        .multi(true)
        .includeAll(true)
        .allValue(ALL_VALUES)
        .current({ text: ['All'], value: ['$__all'], selected: true });
  }
}

function labelValues({ series, of }: ValuesVariableModel): string {
  return `label_values(${series}, ${of})`;
}
