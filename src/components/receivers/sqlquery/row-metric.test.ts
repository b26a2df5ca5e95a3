import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { columnReader } from './answer.ts';
import { sqlqueryConfig, type MetricConfig } from './config.ts';
import { rowMetric } from './row-metric.ts';

const times = { startUnixMs: 1000, nowUnixMs: 60_000, intervalMs: 10_000 };
const OID = { bool: 16, bytea: 17, int8: 20, text: 25, date: 1082, timestamp: 1114, timestamptz: 1184, numeric: 1700 };

function metric(keys: Record<string, unknown>): MetricConfig {
  const queries = [{ sql: 'select 1', metrics: [{ metric_name: 'm', value_column: 'value', ...keys }] }];
  return v.parse(sqlqueryConfig, { driver: 'postgres', datasource: 'postgresql://h/d', queries }).queries[0]!
    .metrics[0]!;
}

type Columns = Record<string, string | null>;

function convert(row: Columns, keys: Record<string, unknown> = {}, types: Record<string, number> = {}) {
  const columns = new Map(Object.keys(row).map((name) => [name, types[name] ?? OID.text]));
  return rowMetric(row, columnReader(columns), metric(keys), times);
}

const pointOf = (...given: Parameters<typeof convert>) => convert(...given)?.points[0];
const NOW = 60_000_000_000n;

describe('a row as the stock receiver has it', () => {
  it('is a gauge with an integer, at the time of the poll, without a start', () => {
    expect(convert({ value: '42' }, { unit: 'By', description: 'd' })).toEqual({
      kind: 'gauge',
      name: 'm',
      unit: 'By',
      description: 'd',
      points: [{ attributes: {}, value: 42n, timeUnixNano: NOW }],
    });
  });

  it.each([
    ['9223372036854775807', 'int', 9_223_372_036_854_775_807n],
    ['-7', 'int', -7n],
    ['+7', 'int', 7n],
    ['4.0', 'double', 4],
    ['1e3', 'double', 1000],
    ['.5', 'double', 0.5],
    ['NaN', 'double', Number.NaN],
    ['-Infinity', 'double', -Infinity],
  ])('reads the text %s as %s', (value, value_type, expected) => {
    expect(pointOf({ value }, { value_type })?.value).toEqual(expected);
  });

  it.each([
    ['4.0', 'int'],
    ['9223372036854775808', 'int'],
    ['', 'int'],
    [' 1', 'int'],
    ['0x10', 'int'],
    ['one', 'double'],
    ['1e999', 'double'],
    ['', 'double'],
  ])('does not read %j as %s', (value, value_type) => {
    expect(() => convert({ value }, { value_type })).toThrow(expect.objectContaining({ reason: 'not_a_number' }));
  });

  it('is a cumulative sum without a start where aggregation is left out, even if a column has one', () => {
    const keys = { data_type: 'sum', monotonic: true, start_ts_column: 'since' };
    const sum = convert({ value: '1', since: '5' }, keys);
    expect(sum).toMatchObject({ kind: 'sum', monotonic: true, temporality: 'cumulative' });
    expect(sum?.points[0]).toEqual({ attributes: {}, value: 1n, timeUnixNano: NOW });
  });

  it('starts with the receiver if aggregation is cumulative, or at the time in a column', () => {
    const keys = { data_type: 'sum', aggregation: 'cumulative' };
    expect(convert({ value: '1' }, keys)).toMatchObject({ kind: 'sum', monotonic: false });
    expect(pointOf({ value: '1' }, keys)?.startUnixNano).toBe(1_000_000_000n);
    expect(
      pointOf({ value: '1', since: '1700000000000000001' }, { ...keys, start_ts_column: 'since' })?.startUnixNano,
    ).toBe(1_700_000_000_000_000_001n);
  });

  it('starts an interval before its time where aggregation is delta', () => {
    const keys = { data_type: 'sum', aggregation: 'delta', ts_column: 'at' };
    expect(convert({ value: '1', at: '1700000000000000001' }, keys)).toMatchObject({
      kind: 'sum',
      temporality: 'delta',
    });
    expect(pointOf({ value: '1', at: '1700000000000000001' }, keys)).toMatchObject({
      timeUnixNano: 1_700_000_000_000_000_001n,
      startUnixNano: 1_699_999_990_000_000_001n,
    });
  });

  it('has attributes of text, those of columns before static ones', () => {
    const row = { value: '1', state: 'paid', n: '5' };
    const keys = { attribute_columns: ['state', 'n'], static_attributes: { state: 'static', env: 'test' } };
    expect(pointOf(row, keys)?.attributes).toEqual({ state: 'paid', n: '5', env: 'test' });
  });

  it('is taken only where its condition holds', () => {
    const keys = { row_condition: { column: 'list', value: 'pools' } };
    expect(pointOf({ value: '1', list: 'pools' }, keys)?.value).toBe(1n);
    expect(convert({ value: '1', list: 'users' }, keys)).toBeUndefined();
    expect(convert({ value: 'no number', list: null }, keys)).toBeUndefined();
  });

  it.each([
    ['t', OID.bool, 'true'],
    ['f', OID.bool, 'false'],
    [String.raw`\x68c3a9`, OID.bytea, 'hé'],
    ['2026-02-03', OID.date, '2026-02-03T00:00:00Z'],
    ['2026-02-03 04:05:06.789', OID.timestamp, '2026-02-03T04:05:06Z'],
    ['2026-02-03 04:05:06.789+00', OID.timestamptz, '2026-02-03T04:05:06Z'],
    ['2026-02-03 04:05:06-03:30', OID.timestamptz, '2026-02-03T04:05:06-03:30'],
    ['2026-02-03 04:05:06+02', OID.timestamptz, '2026-02-03T04:05:06+02:00'],
    ['infinity', OID.timestamptz, 'infinity'],
    ['12.50', OID.numeric, '12.50'],
  ])('shows %j of type %i as %j', (text, type, expected) => {
    expect(pointOf({ value: '1', a: text }, { attribute_columns: ['a'] }, { a: type })?.attributes).toEqual({
      a: expected,
    });
  });
});

describe('a row beyond the stock receiver', () => {
  it('gives no point for NULL', () => {
    expect(() => convert({ value: null })).toThrow(expect.objectContaining({ reason: 'null' }));
    expect(() => convert({ value: '1', at: null }, { ts_column: 'at' })).toThrow(/at is NULL/);
  });

  it('has no attribute for NULL', () => {
    expect(pointOf({ value: '1', a: null, b: '' }, { attribute_columns: ['a', 'b'] })?.attributes).toEqual({ b: '' });
  });

  it.each([
    [{ value_column: 'gone' }],
    [{ attribute_columns: ['gone'] }],
    [{ ts_column: 'gone' }],
    [{ row_condition: { column: 'gone', value: '' } }],
  ])('gives no point where the answer lacks a column: %j', (keys) => {
    expect(() => convert({ value: '1' }, keys)).toThrow(expect.objectContaining({ reason: 'missing_column' }));
  });

  it.each(['2026-01-01', '-1', '9223372036854775808', '1.5'])('gives no point at the time %s', (at) => {
    expect(() => convert({ value: '1', at }, { ts_column: 'at' })).toThrow(
      expect.objectContaining({ reason: 'bad_timestamp' }),
    );
  });
});
