import * as v from 'valibot';
import { expect, test } from 'vitest';
import type { Signal, TelemetryBatch } from '../../../engine/component.ts';
import { protobufFromJson } from '../../../engine/otlp/json/protobuf-from-json.ts';
import { toBatch } from '../../../../tests/support/components/batches.ts';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';
import { SinkExporter } from '../../../../tests/support/components/sink-exporter.ts';
import { batchOfSpans, spanId } from '../../../../tests/support/otlp/otlp-spans.ts';
import { readSpans } from '../../../engine/otlp/span-reader.ts';
import { longestStallMs } from '../../../../tests/support/shapes/longest-stall.ts';
import { slowdown } from '../../../../tests/support/slowdown.ts';
import { filterConfig } from './config.ts';
import { filterProcessor } from './factory.ts';

const attributes = (values: Readonly<Record<string, string | number | boolean>>) =>
  Object.entries(values).map(([key, value]) => ({
    key,
    value:
      typeof value === 'string'
        ? { stringValue: value }
        : typeof value === 'boolean'
          ? { boolValue: value }
          : Number.isInteger(value)
            ? { intValue: `${value}` }
            : { doubleValue: value },
  }));

const resource = { attributes: attributes({ 'service.name': 'shop' }) };

const SPANS = {
  resourceSpans: [
    {
      resource,
      scopeSpans: [
        {
          spans: [
            { name: 'a', spanId: '01'.repeat(8), kind: 2, attributes: attributes({ 'http.route': '/healthz', n: 5 }) },
            {
              name: 'b',
              spanId: '02'.repeat(8),
              parentSpanId: '01'.repeat(8),
              kind: 3,
              status: { code: 2, message: 'no' },
              attributes: attributes({ n: 7.5, ok: true }),
              events: [{ name: 'e1', attributes: attributes({ x: 'y' }) }, { name: 'e2' }],
            },
            { name: 'c', spanId: '03'.repeat(8), kind: 1, attributes: attributes({ text: '5' }) },
          ],
        },
      ],
    },
    { resource: { attributes: attributes({ 'service.name': 'other' }) }, scopeSpans: [{ spans: [{ name: 'd' }] }] },
  ],
};

const points = (...list: readonly Readonly<Record<string, string | number>>[]) => ({
  dataPoints: list.map((values, i) => ({ asInt: `${i}`, attributes: attributes(values) })),
});

const METRICS = {
  resourceMetrics: [
    {
      resource,
      scopeMetrics: [
        {
          metrics: [
            { name: 'g', unit: 's', description: 'text', gauge: points({ k: 'a' }, { k: 'b' }) },
            { name: 's', sum: points({ k: 'a', bad: 'true' }) },
            { name: 'h', histogram: { dataPoints: [{ attributes: attributes({ k: 'c' }) }] } },
          ],
        },
      ],
    },
  ],
};

const LOGS = {
  resourceLogs: [
    {
      resource,
      scopeLogs: [
        {
          logRecords: [
            { severityNumber: 5, severityText: 'debug', body: { stringValue: 'password=1' } },
            { severityNumber: 17, body: { intValue: '12' }, attributes: attributes({ n: 1 }) },
            { body: { kvlistValue: { values: attributes({ level: 'info' }) } } },
          ],
        },
      ],
    },
  ],
};

async function filtered(batch: TelemetryBatch, written: object): Promise<Buffer> {
  const sink = new SinkExporter();
  const { settings, balance } = componentSettings('processor', 'filter', batch.signal);
  await filterProcessor.create(settings, v.parse(filterConfig, written), sink).consume(batch);
  const dropped = batch.itemCount - sink.items;
  expect(balance().dropped).toEqual(dropped > 0 ? { not_sampled: dropped } : {});
  return Buffer.concat(sink.batches.flatMap(({ chunks }) => chunks));
}

function batchOf(signal: Signal, request: object, itemCount: number): TelemetryBatch {
  return toBatch(signal, protobufFromJson(signal, Buffer.from(JSON.stringify(request))), itemCount);
}

const traces = () => batchOf('traces', SPANS, 4);

async function spansLeft(traceConditions: object): Promise<string> {
  const bytes = await filtered(traces(), traceConditions);
  return [...readSpans(bytes)]
    .map(({ name, events }) => name + events.map((event) => `-${event.name}`).join(''))
    .join();
}

test.each([
  ['name == "a"', 'b-e1-e2,c,d'],
  ['name != "a"', 'a'],
  ['span.name == "a" or name == "c"', 'b-e1-e2,d'],
  ['name == "a" and kind == SPAN_KIND_SERVER', 'b-e1-e2,c,d'],
  ['not (name == "a") and kind != 1', 'a,c'],
  ['not name == "a" and true', 'a'],
  ['false', 'a,b-e1-e2,c,d'],
  ['IsMatch(name, "^[ab]$")', 'c,d'],
  ['IsMatch(attributes["http.route"], "health")', 'b-e1-e2,c,d'],
  ['attributes["http.route"] == nil', 'a'],
  ['attributes["http.route"] != nil', 'b-e1-e2,c,d'],
  ['attributes["n"] > 5', 'a,c,d'],
  ['attributes["n"] >= 5', 'c,d'],
  ['attributes["n"] == 5.0', 'b-e1-e2,c,d'],
  ['attributes["n"] > -1', 'c,d'],
  ['attributes["text"] == 5', 'a,b-e1-e2,c,d'],
  ['attributes["text"] != 5', ''],
  ['IsMatch(attributes["n"], "^7")', 'a,c,d'],
  ['attributes["ok"] == true', 'a,c,d'],
  ['attributes["ok"]["x"] == nil', ''],
  ['status.code == STATUS_CODE_ERROR', 'a,c,d'],
  ['status.message == "no"', 'a,c,d'],
  ['IsRootSpan()', 'b-e1-e2'],
  ['parent_span_id.string == "0101010101010101"', 'a,c,d'],
  ['resource.attributes["service.name"] == "shop"', 'd'],
])('traces.span %s leaves %s', async (condition, expected) => {
  expect(await spansLeft({ traces: { span: [condition] } })).toBe(expected);
});

test.each<[object, string]>([
  [{ traces: { spanevent: ['name == "e1"'] } }, 'a,b-e2,c,d'],
  [{ traces: { spanevent: ['attributes["x"] == nil', 'name == "e1"'] } }, 'a,b,c,d'],
  [{ traces: { spanevent: ['span.name == "b" and name == "e2"'] } }, 'a,b-e1,c,d'],
  [{ traces: { resource: ['attributes["service.name"] == "other"'] } }, 'a,b-e1-e2,c'],
  [
    {
      trace_conditions: [
        'spanevent.name == "e1"',
        'span.name == "a"',
        'resource.attributes["service.name"] == "other"',
      ],
    },
    'b-e2,c',
  ],
  [{ logs: { log_record: ['true'] } }, 'a,b-e1-e2,c,d'],
])('%j leaves %s', async (written, expected) => {
  expect(await spansLeft({ ...written, error_mode: 'ignore' })).toBe(expected);
});

test('a batch without matches passes as it is', async () => {
  const sink = new SinkExporter();
  const batch = traces();
  const { settings } = componentSettings('processor', 'filter', 'traces');
  const config = v.parse(filterConfig, { traces: { span: ['name == "x"'] } });
  await filterProcessor.create(settings, config, sink).consume(batch);
  expect(sink.batches[0]).toBe(batch);
});

test.each<[object, string]>([
  [{ metric: ['name == "g"'] }, 's,h'],
  [{ metric: ['type == METRIC_DATA_TYPE_HISTOGRAM'] }, 'g,s'],
  [{ metric: ['unit == "s" and description == "text"'] }, 's,h'],
  [{ metric: ['HasAttrKeyOnDatapoint("bad")'] }, 'g,h'],
  [{ metric: ['HasAttrOnDatapoint("k", "a")'] }, 'h'],
  [{ metric: ['HasAttrOnDatapoint("k", "b")'] }, 's,h'],
  [{ datapoint: ['attributes["k"] == "a"'] }, 'g,h'],
  [{ datapoint: ['metric.name == "g" and value_int == 1'] }, 'g,s,h'],
  [{ datapoint: ['metric.type == METRIC_DATA_TYPE_GAUGE and attributes["k"] != "z"'] }, 's,h'],
  [{ datapoint: ['value_double == 0'] }, 'h'],
  [{ resource: ['IsMatch(attributes["service.name"], "sh.p")'] }, ''],
])('metrics %j leaves %s', async (conditions, expected) => {
  const bytes = await filtered(batchOf('metrics', METRICS, 4), { metrics: conditions });
  const names = ['g', 's', 'h'].filter((name) => bytes.toString('latin1').includes(`\n\u0001${name}`));
  expect(names.join()).toBe(expected);
});

test.each([
  ['severity_number < SEVERITY_NUMBER_INFO', 1],
  ['severity_number != SEVERITY_NUMBER_UNSPECIFIED and severity_number < SEVERITY_NUMBER_WARN', 2],
  ['IsMatch(body, "password")', 2],
  ['IsMatch(body, "^1")', 2],
  ['IsMatch(body, "level")', 2],
  ['body["level"] == "info"', 2],
  ['log.attributes["n"] == 1', 2],
  ['severity_text == "debug"', 2],
])('logs.log_record %s leaves %i records', async (condition, left) => {
  const bytes = await filtered(batchOf('logs', LOGS, 3), { logs: { log_record: [condition] } });
  const kept = ['password', '\u0018\f', 'level'].filter((text) => bytes.toString('latin1').includes(text));
  expect(kept).toHaveLength(left);
});

test.each<[object, string]>([
  [{ traces: { span: ['name = "a"'] } }, 'character 6: needs one of == != < <= > >= here'],
  [{ traces: { span: ['name == "a" xor true'] } }, 'character 13: xor is not expected'],
  [{ traces: { span: ['(name == "a"'] } }, 'character 13: needs ) here'],
  [
    { traces: { span: ['end_time - start_time > 5'] } },
    'the path end_time is not supported; supported are resource.attributes',
  ],
  [{ traces: { span: ['spanevent.name == "a"'] } }, 'character 1: the path spanevent.name is not supported'],
  [{ traces: { span: ['attributes == nil'] } }, 'attributes needs a key'],
  [{ traces: { span: ['Len(name) > 5'] } }, 'character 1: the function Len is not supported; supported are IsMatch'],
  [{ traces: { span: ['name == Concat(["a"], "")'] } }, 'character 9: Concat is not known'],
  [{ traces: { span: ['IsMatch(name, "(")'] } }, 'character 15: the pattern has'],
  [{ traces: { span: ['HasAttrKeyOnDatapoint("x")'] } }, 'only for conditions about a metric'],
  [{ traces: { span: ['name == "a'] } }, 'character 8: is not part of a condition'],
  [{ traces: { span: ['kind == SPAN_KIND_X'] } }, 'SPAN_KIND_X is not known'],
  [{ traces: { span: ['('.repeat(500)] } }, 'too many brackets'],
  [{ trace_conditions: ['name == "a"'] }, 'the path name is not supported'],
  [{ trace_conditions: ['true'] }, 'needs a path that begins with resource, span, spanevent'],
])('%j is refused: %s', (written, problem) => {
  expect(() => v.parse(filterConfig, written)).toThrow(problem);
});

function letters(seed: number): string {
  return Array.from({ length: 4096 }, (_, i) => ((i * i * seed) % 7 < 3 ? 'a' : 'b')).join('');
}

test('long values do not stop other work', { timeout: 60_000 }, async () => {
  const batch = batchOfSpans(
    Array.from({ length: 1000 }, (_, i) => ({ spanId: spanId(i + 1), attributes: { key: letters(i + 1) } })),
  );
  const written = { traces: { span: ['IsMatch(attributes["key"], "(a|b)*a(a|b){100}c")'] } };
  const stallsMs: number[] = [];
  for (let attempt = 0; attempt < 5; attempt++) {
    stallsMs.push(await longestStallMs(async () => void (await filtered(batch, written))));
    if (Math.min(...stallsMs) <= 20 * slowdown()) return;
  }
  expect(Math.min(...stallsMs)).toBeLessThanOrEqual(20);
});

test('many attributes do not stop other work', { timeout: 60_000 }, async () => {
  const attributesOfSpan = Object.fromEntries(Array.from({ length: 9900 }, (_, i) => [`k${i}`, 'v']));
  const batch = batchOfSpans(
    Array.from({ length: 48 }, (_, i) => ({ spanId: spanId(i + 1), attributes: attributesOfSpan })),
  );
  const written = { traces: { span: Array.from({ length: 5 }, (_, i) => `attributes["absent${i}"] == "a"`) } };
  const stallsMs: number[] = [];
  for (let attempt = 0; attempt < 5; attempt++) {
    stallsMs.push(await longestStallMs(async () => void (await filtered(batch, written))));
    if (Math.min(...stallsMs) <= 20 * slowdown()) return;
  }
  expect(Math.min(...stallsMs)).toBeLessThanOrEqual(20);
});
