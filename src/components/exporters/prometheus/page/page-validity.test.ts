import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { counter, delta, ExporterUnderTest, gauge, histogram, type Json } from '../exporter-under-test.ts';

/** Few letters, so that names collide often; then what breaks pages; then anything. */
const text = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b', '.', '_', '1'), maxLength: 4 }),
  fc.constantFrom(
    'x',
    'x_count',
    'x_bucket',
    'x_total',
    '__name__',
    'le',
    'quantile',
    'job',
    '"',
    '\\',
    '\n',
    '{}',
    'ż',
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const options = fc.record({
  labels: fc.dictionary(text, text, { maxKeys: 3 }),
  start: fc.nat(2),
  time: fc.nat(5),
  flags: fc.constantFrom(0, 0, 0, 1),
});
const number = fc.double();
const bounds = fc.array(fc.constantFrom(-1, 0, 0.5, 1, 2), { maxLength: 3 });
const metric: fc.Arbitrary<Json> = fc.oneof(
  fc.tuple(text, number, options).map(([name, value, point]) => gauge(name, finite(value), point)),
  fc.tuple(text, number, options).map(([name, value, point]) => counter(name, finite(value), point)),
  fc.tuple(text, number, options).map(([name, value, point]) => delta(name, finite(value), point)),
  fc
    .tuple(text, bounds, options)
    .map(([name, values, point]) =>
      histogram(name, { count: 9, sum: 1, bounds: values, counts: [...values.map(() => 1), 1] }, point),
    ),
  fc.tuple(text, bounds).map(([name, quantiles]) => ({
    name,
    summary: {
      dataPoints: [{ count: '2', sum: 1, quantileValues: quantiles.map((quantile) => ({ quantile, value: 1 })) }],
    },
  })),
);
const config = fc.record({
  translation_strategy: fc.constantFrom(
    'UnderscoreEscapingWithSuffixes',
    'UnderscoreEscapingWithoutSuffixes',
    'NoUTF8EscapingWithSuffixes',
    'NoTranslation',
  ),
  namespace: fc.constantFrom('', '1', 'a.b'),
  enable_open_metrics: fc.boolean(),
  without_scope_info: fc.boolean(),
});
const ACCEPTS = ['text/plain;escaping=allow-utf-8', 'application/openmetrics-text;escaping=allow-utf-8'];

test('whatever comes in, a strict reader takes the page', async () => {
  await fc.assert(
    fc.asyncProperty(config, fc.array(metric, { minLength: 1, maxLength: 12 }), async (chosen, metrics) => {
      await using exporter = await ExporterUnderTest.start(chosen);
      await exporter.consume(metrics.map((one, i) => ({ ...(one as object), unit: ['', 's', 'By/s', 'a b'][i % 4] })));
      for (const accept of ACCEPTS) expect(await exporter.families({ accept })).toBeInstanceOf(Array);
    }),
    { numRuns: 150 },
  );
}, 30_000);

/** JSON has no other numbers. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}
