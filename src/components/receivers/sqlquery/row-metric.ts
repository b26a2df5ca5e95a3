import type { rowDropReasons } from '../../../metrics/reasons.ts';
import type { Attributes, MetricData, NumberPoint } from '../../../engine/otlp/metrics-writer.ts';
import { decimalOf } from '../../../postgres/polling/decimal.ts';
import type { Row } from '../../../postgres/read-only-pool.ts';
import type { ReadColumn } from './answer.ts';
import type { MetricConfig } from './config.ts';

export type DropReason = (typeof rowDropReasons)[number];

export class RowProblem extends Error {
  override readonly name = 'RowProblem';
  readonly reason: DropReason;

  constructor(reason: DropReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Runs the conversion of a row; undefined if the row has a problem. */
export type UnlessProblem = <Result>(work: () => Result) => Result | undefined;

/** @param onProblem is called with the problem of a row. */
export function unlessProblem(onProblem: (problem: RowProblem) => void): UnlessProblem {
  return (work) => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof RowProblem)) throw error;
      onProblem(error);
      return undefined;
    }
  };
}

export interface PollTimes {
  /** When the receiver started. */
  readonly startUnixMs: number;
  readonly nowUnixMs: number;
  readonly intervalMs: number;
}

/**
 * The point of a row for one metric of the configuration; undefined if `row_condition` excludes the row. Each row becomes a
 * separate metric, as in the stock receiver.
 *
 * @throws RowProblem
 */
export function rowMetric(row: Row, read: ReadColumn, config: MetricConfig, times: PollTimes): MetricData | undefined {
  const { row_condition: condition } = config;
  if (condition && existing(read, row, condition.column) !== condition.value) return undefined;
  const point: NumberPoint = {
    ...timesOf(row, read, config, times),
    attributes: attributesOf(row, read, config),
    value: valueOf(row, read, config),
  };
  return metricOf(config, point);
}

export function attributesOf(
  row: Row,
  read: ReadColumn,
  config: { readonly attribute_columns: readonly string[]; readonly static_attributes?: Attributes },
): Attributes {
  const attributes: Record<string, string> = { ...config.static_attributes };
  for (const column of config.attribute_columns) {
    const text = existing(read, row, column);
    if (text !== null) attributes[column] = text;
  }
  return attributes;
}

/** @throws RowProblem if the answer lacks the column */
export function existing(read: ReadColumn, row: Row, column: string): string | null {
  const text = read(row, column);
  if (text === undefined) throw new RowProblem('missing_column', `the answer has no column ${column}`);
  return text;
}

/** @throws RowProblem if the answer lacks the column, or it is NULL */
export function present(read: ReadColumn, row: Row, column: string): string {
  const text = existing(read, row, column);
  if (text === null) throw new RowProblem('null', `column ${column} is NULL`);
  return text;
}

function metricOf(config: MetricConfig, point: NumberPoint): MetricData {
  const { metric_name: name, unit, description, monotonic, data_type, aggregation } = config;
  const described = { name, unit, description, points: [point] };
  if (data_type === 'gauge') return { kind: 'gauge', ...described };
  return { kind: 'sum', ...described, monotonic, temporality: aggregation ?? 'cumulative' };
}

/** A start time is set only if `aggregation` is set. */
function timesOf(row: Row, read: ReadColumn, config: MetricConfig, times: PollTimes): Partial<NumberPoint> {
  const time = config.ts_column === undefined ? undefined : nanosecondsOf(row, read, config.ts_column);
  const start = config.start_ts_column === undefined ? undefined : nanosecondsOf(row, read, config.start_ts_column);
  const timeUnixNano = time ?? BigInt(times.nowUnixMs) * NANOSECONDS_PER_MS;
  if (config.aggregation === undefined) return { timeUnixNano };
  const startUnixNano =
    config.aggregation === 'delta'
      ? timeUnixNano - BigInt(Math.round(times.intervalMs)) * NANOSECONDS_PER_MS
      : (start ?? BigInt(times.startUnixMs) * NANOSECONDS_PER_MS);
  return { timeUnixNano, startUnixNano };
}

const NANOSECONDS_PER_MS = 1_000_000n;
const WHOLE = /^[+-]?\d+$/;
const NOT_FINITE: Readonly<Record<string, number>> = { nan: Number.NaN, inf: Infinity, infinity: Infinity };

function nanosecondsOf(row: Row, read: ReadColumn, column: string): bigint {
  const text = present(read, row, column);
  const time = WHOLE.test(text) ? BigInt(text) : -1n;
  if (time < 0n || time !== BigInt.asUintN(63, time))
    throw new RowProblem('bad_timestamp', `column ${column} is not a time in whole nanoseconds`);
  return time;
}

/** Parses the text of the column, because a column of any type can hold a number. */
function valueOf(row: Row, read: ReadColumn, { value_column, value_type }: MetricConfig): number | bigint {
  const text = present(read, row, value_column);
  const value = value_type === 'int' ? integerOf(text) : doubleOf(text);
  if (value !== undefined) return value;
  const kind = value_type === 'int' ? 'a 64-bit integer' : 'a double';
  throw new RowProblem('not_a_number', `column ${value_column} is not ${kind}`);
}

function integerOf(text: string): bigint | undefined {
  if (!WHOLE.test(text)) return undefined;
  const value = BigInt(text.replace('+', ''));
  return value === BigInt.asIntN(64, value) ? value : undefined;
}

function doubleOf(text: string): number | undefined {
  const decimal = decimalOf(text);
  if (decimal !== undefined) return decimal;
  const value = NOT_FINITE[text.replace(/^[+-]/, '').toLowerCase()];
  return value !== undefined && text.startsWith('-') ? -value : value;
}
