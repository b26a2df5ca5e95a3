import { sample, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WireWriter } from '../../src/engine/otlp/wire-writer.ts';
import { PrometheusServer, prometheusMissing, type Labels } from '../support/prometheus/prometheus-server.ts';
import { parsePrometheusText } from '../support/prometheus/prometheus-text.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { checkMetrics } from './prometheus-promtool.ts';

const MEGABYTE = 1_048_576;
/** Large enough that the memory limiter refuses nothing in this test. */
const NO_LIMIT = 'processors.memory_limiter.limit_mib=4000';

const INJECTIONS = ['a"} 666\nevil 666\n# EOF\n', '\n# TYPE evil counter\nevil 666', '"\nevil 666 # {', '{a="b"} 666'];
const SPECIAL =
  '|"|\\|\\n|\'|{|}|{}| |,|=|#|# EOF|NaN|+Inf|1|\u007F|\u0085|\u2028|\uFEFF|\uFFFF|größer|ż\u{1F600}|م'.split('|');
const RESERVED =
  'le quantile __name__ __address__ __ _ : job instance otel_scope_name x_total x_bucket x_count x_created target_info';

const TEXTS = [
  ...INJECTIONS,
  ...SPECIAL,
  ...RESERVED.split(' '),
  ...Array.from({ length: 0x20 }, (_, code) => `a${String.fromCodePoint(code)}b`),
  ...['a', '"', '\u{1F600}'].map((text) => text.repeat(MEGABYTE / Buffer.byteLength(text))),
  ...sample(string({ unit: 'binary', minLength: 1, maxLength: 30 }), { seed: 7, numRuns: 150 }),
];

/** The bytes of no text at all: stray and truncated sequences, an overlong one, a lone surrogate, beyond Unicode. */
const NO_TEXTS = ['80', 'ff', 'c3', 'c328', 'c0af', 'e282', 'eda080', 'f4908080', '61ff0a62'].map((hex) =>
  Buffer.from(hex, 'hex'),
);

const configs = [
  {},
  { enable_open_metrics: true, 'resource_to_telemetry_conversion.enabled': true },
  { translation_strategy: 'NoTranslation' },
  { enable_open_metrics: true, translation_strategy: 'NoUTF8EscapingWithSuffixes' },
];

describe.skipIf(prometheusMissing)(`hostile telemetry ${prometheusMissing ?? ''}`, { concurrent: true }, () => {
  it.each(configs)('can neither break the page nor add to it: %j', async (config) => {
    const sets = Object.entries(config).map(([key, value]) => `exporters.prometheus.${key}=${value}`);
    await using sidecar = await Sidecar.start({ sets: [NO_LIMIT, ...sets] });
    for (const request of TEXTS.flatMap(requestsWith)) await post(sidecar, 'application/json', JSON.stringify(request));
    for (const bytes of NO_TEXTS) await post(sidecar, 'application/x-protobuf', metricWith(bytes));
    await post(sidecar, 'application/json', JSON.stringify(requestOf([gauge('good', {})])));

    const page = await sidecar.scrape();
    expect(checkMetrics(page).filter((line) => line.startsWith('error'))).toEqual([]);
    const shown = parsePrometheusText(page).flatMap(({ samples }) => samples);
    expect(shown.length).toBeGreaterThan(TEXTS.length);

    await using prometheus = await PrometheusServer.start([new URL(sidecar.url({ id: 'prometheus' })).host]);
    expect(await prometheus.scrapedTargets()).toEqual([{ health: 'up', lastError: '' }]);
    expect(await prometheus.found('good')).toMatchObject([{ value: [expect.any(Number), '1'] }]);
    expect(await prometheus.found('scrape_samples_scraped')).toMatchObject([
      { value: [expect.any(Number), `${shown.length}`] },
    ]);
    expect(await prometheus.query('evil')).toEqual([]);
  });
});

async function post(sidecar: Sidecar, contentType: string, body: string | Uint8Array<ArrayBuffer>): Promise<void> {
  const headers = { 'content-type': contentType };
  const { status } = await fetch(`${sidecar.otlpHttp}/v1/metrics`, { method: 'POST', headers, body });
  expect(status).toBe(200);
}

/** Requests with the text in every place where a sender can put one; a long one once in each request. */
function requestsWith(text: string): unknown[] {
  const metrics = metricsWith(text);
  const groups = text.length > 1000 ? metrics.map((metric) => [metric]) : [metrics];
  const resource = { 'service.name': text, 'service.instance.id': text, [text]: text };
  return groups.flatMap((group) => [requestOf(group), requestOf(group, resource, { name: text })]);
}

function metricsWith(text: string): unknown[] {
  const [start, point] = [text.slice(0, 20), { asDouble: 1, attributes: attributes({ key: text }) }];
  const cumulative = { aggregationTemporality: 2 };
  const buckets = { count: '1', sum: 1, explicitBounds: [1], bucketCounts: ['1', '0'] };
  const quantiles = { count: '1', sum: 1, quantileValues: [{ quantile: 0.5, value: 1 }] };
  return [
    gauge(text),
    gauge('as_key', { [text]: 'value' }),
    gauge('as_value', { key: text }),
    gauge('as_both', { [text]: text, [`${text}.`]: text }),
    { ...gauge(`unit${start}`), unit: text },
    { ...gauge(`help${start}`), description: text },
    { name: `counter ${text}`, sum: { ...cumulative, isMonotonic: true, dataPoints: [point] } },
    {
      name: `histogram${start}`,
      histogram: { ...cumulative, dataPoints: [{ ...buckets, attributes: attributes({ le: text }) }] },
    },
    {
      name: `summary${start}`,
      summary: { dataPoints: [{ ...quantiles, attributes: attributes({ quantile: text }) }] },
    },
  ];
}

function requestOf(metrics: readonly unknown[], resource: Labels = {}, scope: object = {}): unknown {
  return { resourceMetrics: [{ resource: { attributes: attributes(resource) }, scopeMetrics: [{ scope, metrics }] }] };
}

function gauge(name: string, labels: Labels = {}): object {
  return { name, gauge: { dataPoints: [{ asDouble: 1, attributes: attributes(labels) }] } };
}

function attributes(labels: Labels): unknown[] {
  return Object.entries(labels).map(([key, stringValue]) => ({ key, value: { stringValue } }));
}

/** A gauge with these bytes as its name, its description and an attribute, as JSON could not carry them. */
function metricWith(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter();
  writer.messageField(1, () =>
    writer.messageField(2, () =>
      writer.messageField(2, () => {
        writer.bytesField(1, bytes);
        writer.bytesField(2, bytes);
        writer.messageField(5, () =>
          writer.messageField(1, () => {
            writer.doubleField(4, 1);
            writer.messageField(7, () => {
              writer.bytesField(1, bytes);
              writer.messageField(2, () => writer.bytesField(1, bytes));
            });
          }),
        );
      }),
    ),
  );
  return new Uint8Array(writer.finish());
}
