import { expect, it } from 'vitest';
import { inspectRequest } from '../../../../src/collector/otlp/inspect-request.ts';
import { encodeMetricsRequest, type MetricsRequest } from '../../../../src/collector/otlp/metrics-writer.ts';
import { messageToObject } from '../../../../src/exporters/debug/message-to-object.ts';

const request: MetricsRequest = {
  resource: { 'service.name': 'siphon' },
  scope: { name: 'siphon/db_poller', version: '1.2.3' },
  timeUnixMs: 1_700_000_000_000.25,
  gauges: [
    {
      name: 'variants',
      unit: '{variant}',
      description: 'Variants',
      points: [
        { attributes: { roaster: 'blå', platform: 'custom' }, value: 0 },
        { attributes: {}, value: -1.5 },
        { attributes: { roaster: 'gone' }, value: undefined },
      ],
    },
    { name: 'roasters', unit: '', description: '', points: [{ attributes: {}, value: 2 ** 53 }] },
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
            ],
          },
        ],
      },
    ],
  });
});

it('writes what the receiver of OTLP would take, point by point', () => {
  expect(inspectRequest('metrics', encodeMetricsRequest(request))).toBe(4);
});

function text(key: string, value: string): unknown {
  return { key, value: { string_value: value } };
}
