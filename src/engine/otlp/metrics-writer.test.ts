import { expect, it } from 'vitest';
import { inspectRequest } from './inspect-request.ts';
import { encodeMetricsRequest, type MetricsRequest } from './metrics-writer.ts';
import { messageToObject } from './message-to-object.ts';

const request: MetricsRequest = {
  resource: { 'service.name': 'siphon' },
  scope: { name: 'siphon/db_poller', version: '1.2.3' },
  timeUnixMs: 1_700_000_000_000.25,
  metrics: [
    {
      kind: 'gauge',
      name: 'variants',
      unit: '{variant}',
      description: 'Variants',
      points: [
        { attributes: { roaster: 'blå', platform: 'custom' }, value: 0 },
        { attributes: {}, value: -1.5 },
        { attributes: { roaster: 'gone' }, value: undefined },
      ],
    },
    { kind: 'gauge', name: 'roasters', unit: '', description: '', points: [{ attributes: {}, value: 2 ** 53 }] },
    {
      kind: 'sum',
      name: 'prices',
      unit: '{price}',
      description: 'Prices',
      monotonic: true,
      temporality: 'cumulative',
      points: [{ attributes: {}, value: 7n, startUnixMs: 1_600_000_000_000, timeUnixMs: 1_650_000_000_000 }],
    },
    {
      kind: 'histogram',
      name: 'run.duration',
      unit: 's',
      description: 'Durations',
      bounds: [1, 5],
      points: [
        { attributes: {}, value: { count: 3, sum: 8.5, bucketCounts: [1, 2, 0] }, startUnixMs: 1_600_000_000_000 },
        { attributes: { status: 'gone' }, value: undefined },
      ],
    },
  ],
};

it('writes what it was given, and nothing else', () => {
  const time_unix_nano = '1700000000000000000';
  expect(messageToObject('ExportMetricsServiceRequest', encodeMetricsRequest(request))).toEqual({
    resource_metrics: [
      {
        resource: { attributes: [text('service.name', 'siphon')] },
        scope_metrics: [
          {
            scope: { name: 'siphon/db_poller', version: '1.2.3' },
            metrics: [
              {
                name: 'variants',
                description: 'Variants',
                unit: '{variant}',
                gauge: {
                  data_points: [
                    {
                      attributes: [text('roaster', 'blå'), text('platform', 'custom')],
                      time_unix_nano,
                      as_double: 0,
                    },
                    { time_unix_nano, as_double: -1.5 },
                    { attributes: [text('roaster', 'gone')], time_unix_nano, flags: 1 },
                  ],
                },
              },
              {
                name: 'roasters',
                description: '',
                unit: '',
                gauge: { data_points: [{ time_unix_nano, as_double: 2 ** 53 }] },
              },
              {
                name: 'prices',
                description: 'Prices',
                unit: '{price}',
                sum: {
                  data_points: [
                    {
                      start_time_unix_nano: '1600000000000000000',
                      time_unix_nano: '1650000000000000000',
                      as_int: '7',
                    },
                  ],
                  aggregation_temporality: 'AGGREGATION_TEMPORALITY_CUMULATIVE',
                  is_monotonic: true,
                },
              },
              {
                name: 'run.duration',
                description: 'Durations',
                unit: 's',
                histogram: {
                  data_points: [
                    {
                      start_time_unix_nano: '1600000000000000000',
                      time_unix_nano,
                      count: '3',
                      sum: 8.5,
                      bucket_counts: ['1', '2', '0'],
                      explicit_bounds: [1, 5],
                    },
                    { attributes: [text('status', 'gone')], time_unix_nano, flags: 1 },
                  ],
                  aggregation_temporality: 'AGGREGATION_TEMPORALITY_CUMULATIVE',
                },
              },
            ],
          },
        ],
      },
    ],
  });
});

it('writes what the receiver of OTLP would take, point by point', () => {
  expect(inspectRequest('metrics', encodeMetricsRequest(request))).toBe(7);
});

function text(key: string, value: string): unknown {
  return { key, value: { string_value: value } };
}

it('keeps times that are known to the nanosecond', () => {
  const point = { attributes: {}, value: 1, startUnixNano: 1_600_000_000_000_000_001n, timeUnixNano: 1_700_000_000_000_000_002n }; // prettier-ignore
  const metrics = [{ kind: 'gauge', name: 'exact', unit: '', description: '', points: [point] }] as const;
  expect(
    JSON.stringify(messageToObject('ExportMetricsServiceRequest', encodeMetricsRequest({ ...request, metrics }))),
  ).toMatch(/"start_time_unix_nano":"1600000000000000001","time_unix_nano":"1700000000000000002"/);
});
