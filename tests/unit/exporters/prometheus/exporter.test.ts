import { createNoopMeter } from '@opentelemetry/api';
import pino from 'pino';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import type { Host, TelemetryBatch } from '../../../../src/collector/component.ts';
import { writeKeyValue } from '../../../../src/collector/otlp/any-value.ts';
import { WireWriter } from '../../../../src/collector/otlp/wire-writer.ts';
import { prometheusExporter } from '../../../../src/exporters/prometheus/factory.ts';

interface SumPoint {
  readonly attributes: Readonly<Record<string, string>>;
  readonly value?: number;
  readonly time: bigint;
  readonly flags?: number;
}

function sum(name: string, temporality: 1 | 2, points: readonly SumPoint[]): TelemetryBatch {
  const writer = new WireWriter();
  const body = (data: WireWriter): void => {
    for (const { attributes, value, time, flags } of points) {
      data.messageField(1, () => {
        for (const [key, text] of Object.entries(attributes)) writeKeyValue(data, 7, key, text);
        data.fixed64Field(3, time);
        if (value !== undefined) data.doubleField(4, value);
        if (flags !== undefined) data.varintField(8, flags);
      });
    }
    data.varintField(2, temporality);
    data.boolField(3, true);
  };
  writer.messageField(1, () =>
    writer.messageField(2, () =>
      writer.messageField(2, () => {
        writer.stringField(1, name);
        writer.messageField(7, () => body(writer));
      }),
    ),
  );
  const bytes = writer.finish();
  return { signal: 'metrics', chunks: [bytes], itemCount: points.length, sizeBytes: bytes.length };
}

/** The sample lines of the page after these batches. */
async function page(batches: readonly TelemetryBatch[]): Promise<string[]> {
  let endpoint = '';
  const logger = pino({}, { write: (line: string) => (endpoint ||= String(JSON.parse(line).endpoint)) });
  const settings = {
    id: 'prometheus',
    signals: new Set(['metrics' as const]),
    logger,
    meter: createNoopMeter(),
    version: '0',
  };
  const config = v.parse(prometheusExporter.config, { endpoint: '127.0.0.1:0', without_scope_info: true });
  const exporter = prometheusExporter.create(settings, config);
  const host: Host = { extension: () => undefined, status: () => 'ok' };
  await exporter.start(host);
  try {
    for (const batch of batches) await exporter.consume(batch);
    const answer = await fetch(`http://${endpoint}/metrics`);
    expect(answer.status).toBe(200);
    return (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  } finally {
    await exporter.shutdown(AbortSignal.timeout(1000));
  }
}

const cases: readonly [behaviour: string, batches: readonly TelemetryBatch[], lines: readonly string[]][] = [
  ['an exporter with nothing to show answers an empty page', [], []],
  [
    'the same attributes in another order are the same series',
    [
      sum('n', 2, [
        { attributes: { a: '1', b: '2' }, value: 1, time: 1n },
        { attributes: { b: '2', a: '1' }, value: 2e6, time: 2n },
      ]),
    ],
    ['n_total{a="1",b="2"} 2e+06'],
  ],
  [
    'deltas add up across a gap, and one that comes twice counts once',
    [5n, 7n, 7n, 9n].map((time) => sum('n', 1, [{ attributes: {}, value: Number(time), time }])),
    ['n_total 21'],
  ],
  [
    'labels that collide after translation are joined',
    [sum('n', 2, [{ attributes: { 'a.b': 'x', a_b: 'y' }, value: 1, time: 1n }])],
    ['n_total{a_b="x;y"} 1'],
  ],
  [
    'a point without recorded value takes its own series away only',
    [
      sum('n', 2, [
        { attributes: { a: '1' }, value: 1, time: 1n },
        { attributes: { a: '2' }, value: 1, time: 1n },
      ]),
      sum('n', 2, [
        { attributes: { a: '1' }, time: 2n, flags: 1 },
        { attributes: { a: '2' }, value: 3, time: 2n },
      ]),
    ],
    ['n_total{a="2"} 3'],
  ],
  ['a point without value is no 0', [sum('n', 2, [{ attributes: {}, time: 1n }])], []],
  [
    'hostile label values cannot break the page',
    [sum('n', 2, [{ attributes: { a: '"}\n\\' }, value: 1, time: 1n }])],
    ['n_total{a="\\"}\\n\\\\"} 1'],
  ],
];

test.each(cases)('%s', async (_, batches, lines) => {
  expect(await page(batches)).toEqual(lines);
});
