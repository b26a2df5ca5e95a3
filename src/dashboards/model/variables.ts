/** The choices that the reader of a dashboard makes, and how they narrow its queries. */
import type { MetricSource } from '../../metrics/metric.ts';
import { STEP } from '../promql/events.ts';
import type { Window } from '../promql/node.ts';
import type { Scope } from '../promql/render.ts';
import type { Series } from '../promql/vector.ts';

export type Variable = DatasourceVariable | ValuesVariable;

export interface DatasourceVariable {
  readonly kind: 'datasource';
  readonly name: string;
  readonly label: string;
  readonly description: string;
}

/** The values of a label. Several can be chosen; at first all are. */
export interface ValuesVariable {
  readonly kind: 'values';
  readonly name: string;
  readonly label: string;
  readonly description: string;
  /** The series that have the values. */
  readonly series: Series;
  readonly of: string;
  /** Other variables that narrow the values: by label. */
  readonly within?: Readonly<Record<string, string>>;
  readonly narrows: Narrowed;
}

/** Which series of the dashboard it narrows: all with one of these labels, or by its own label all of these sources. */
export type Narrowed = { readonly labels: readonly string[] } | { readonly sources: readonly MetricSource[] };

export const datasource: DatasourceVariable = {
  kind: 'datasource',
  name: 'datasource',
  label: 'Prometheus',
  description: 'Where the metrics are',
};

/** For graphs: from one point to the next. */
export const step = STEP;
/** For single numbers: the time range of the page. */
export const range: Window = '$__range';

export function valuesOf<Label extends string>(
  series: Series<Label>,
  of: NoInfer<Label>,
  rest: Omit<ValuesVariable, 'kind' | 'series' | 'of'>,
): ValuesVariable {
  return { kind: 'values', series, of, ...rest };
}

/** How the variables of a dashboard narrow its queries. */
export function scopeOf(variables: readonly Variable[]): Scope {
  const labels: Record<string, string> = {};
  const sources: Partial<Record<MetricSource, Record<string, string>>> = {};
  for (const variable of variables.filter(({ kind }) => kind === 'values') as readonly ValuesVariable[]) {
    const { name, of, narrows } = variable;
    if ('labels' in narrows) for (const label of narrows.labels) labels[label] = name;
    else for (const source of narrows.sources) sources[source] = { ...sources[source], [of]: name };
  }
  return { labels, sources };
}
