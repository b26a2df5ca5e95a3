import { expect, test } from 'vitest';
import { acceptsGzip, negotiate } from './negotiation.ts';

const PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,' +
  'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

const PROTOBUF = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily';

test.each([
  [undefined, 'text', 'underscores'],
  ['*/*', 'text', 'underscores'],
  [PROMETHEUS_3, 'openmetrics', 'allow-utf-8'],
  ['text/plain;version=0.0.4', 'text', 'underscores'],
  ['application/openmetrics-text; version=1.0.0', 'openmetrics', 'underscores'],
  ['application/openmetrics-text;version=2.0.0,text/plain;q=0.1', 'text', 'underscores'],
  ['application/openmetrics-text;q=0', 'text', 'underscores'],
  ['application/openmetrics-text;q=0.2,text/plain;q=0.5;escaping=dots', 'text', 'dots'],
  [`${PROTOBUF};encoding=delimited;q=0.7,text/plain;q=0.5`, 'protobuf', 'underscores'],
  [`${PROTOBUF};encoding=text`, 'text', 'underscores'],
  ['text/plain;escaping=unheard-of', 'text', 'underscores'],
])('%s', (accept, syntax, escaping) => {
  expect(negotiate(accept, true)).toEqual({ syntax, escaping });
});

test('OpenMetrics that is not offered is passed over', () => {
  expect(negotiate(PROMETHEUS_3, false)).toEqual({ syntax: 'text', escaping: 'allow-utf-8' });
});

test.each([
  ['gzip', true],
  ['deflate, gzip;q=0.5', true],
  ['*', true],
  ['gzip;q=0', false],
  ['gzip;q=0, *', false],
  ['identity', false],
  [undefined, false],
])('Accept-Encoding %s', (header, expected) => {
  expect(acceptsGzip(header)).toBe(expected);
});
