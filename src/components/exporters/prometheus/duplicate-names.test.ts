import { expect, it } from 'vitest';
import { protobufFromJson } from '../../../engine/otlp/json/protobuf-from-json.ts';
import { ExporterUnderTest } from './exporter-under-test.ts';

/** The samples of a request in which names appear twice. Objects are written in parts, as text. */
async function samples(resourceMetrics: string, config = {}): Promise<string[]> {
  await using exporter = await ExporterUnderTest.start({ resource_constant_labels: { included: ['*'] }, ...config });
  await exporter.consumeBytes(protobufFromJson('metrics', Buffer.from(`{"resourceMetrics":[{${resourceMetrics}}]}`)));
  const page = await (await exporter.scrape()).text();
  return page.split('\n').filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('target_info'));
}

const metrics = (metric: string): string => `"scopeMetrics":[{"metrics":[{${metric}}]}]`;
const points = (...values: readonly number[]): string =>
  `"dataPoints":[${values.map((value) => `{"asInt":${value},"attributes":[{"key":"v","value":{"intValue":${value}}}]}`).join()}]`;
const attribute = (key: string, value: string): string => `{"key":"${key}","value":{"stringValue":"${value}"}}`;

it.each([
  ['the last text', metrics(`"name":"a","name":"b","gauge":{${points(1)}}`), ['b{v="1"} 1']],
  ['the last number', metrics('"name":"a","gauge":{"dataPoints":[{"asInt":1,"asInt":2,"asDouble":3}]}'), ['a 3']],
  ['all elements of a list', metrics(`"name":"a","gauge":{${points(1)},${points(2)}}`), ['a{v="1"} 1', 'a{v="2"} 2']],
  ['the last type of a metric', metrics(`"name":"a","sum":{${points(1)}},"gauge":{${points(2)}}`), ['a{v="2"} 2']],
  ['the last data of a metric', metrics(`"name":"a","gauge":{${points(1)}},"gauge":{${points(2)}}`), ['a{v="2"} 2']],
  [
    'all fields of an object',
    `"resource":{"attributes":[${attribute('x', '1')}]},"resource":{"attributes":[${attribute('y', '2')}]},"resource":{},${metrics(`"name":"a","gauge":{"dataPoints":[{"asInt":1}]}`)}`,
    ['a{x="1",y="2"} 1'],
  ],
  [
    'all fields of a value',
    metrics(
      '"name":"a","gauge":{"dataPoints":[{"asInt":1,"attributes":[{"key":"k","value":{"stringValue":"s"},"value":{}}]}]}',
    ),
    ['a{k="s"} 1'],
  ],
])('shows %s, as the stock Collector does', async (_, request, expected) => {
  expect(await samples(request)).toEqual(expected);
});

it('shows all fields of a scope', async () => {
  const scope = '"scope":{"name":"n"},"scope":{"version":"1"}';
  const request = `"scopeMetrics":[{${scope},"metrics":[{"name":"a","gauge":{"dataPoints":[{"asInt":1}]}}]}]`;
  expect(await samples(request, { without_scope_info: false })).toEqual([
    'a{otel_scope_name="n",otel_scope_schema_url="",otel_scope_version="1"} 1',
  ]);
});
