/** `siphon-otel/dashboards`: what the dashboards and alerts of a pack are written with. */
export { instance, job } from './model/service-variables.ts';
export { datasource, range, step, valuesOf } from './model/variables.ts';
export {
  areas,
  bars,
  histogram,
  events,
  healthyWhenEmpty,
  lines,
  show,
  stat,
  table,
  unknownWhenEmpty,
  type Dashboard,
  type Panel,
  type Row,
} from './model/panel.ts';
export { average, count, max, min, sum } from './promql/aggregate.ts';
export {
  absent,
  absentSeries,
  age,
  and,
  compare,
  compareTo,
  constant,
  happened,
  minus,
  missingTo,
  or,
  partOf,
  plus,
  ratio,
  relativeTo,
  times,
  together,
  unless,
  type Share,
} from './promql/arithmetic.ts';
export { promql, type Promql } from './promql/promql.ts';
export type { Series, Vector } from './promql/vector.ts';
export { alert, type Alert, type Severity } from './rules/alert.ts';
export { recorded, recordedCount, recordedShare } from './rules/recording.ts';
export type { Threshold } from './threshold.ts';
