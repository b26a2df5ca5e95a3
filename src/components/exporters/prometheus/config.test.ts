import * as v from 'valibot';
import { expect, test } from 'vitest';
import { ExporterUnderTest, gauge } from './exporter-under-test.ts';
import { prometheusExporterConfig } from './config.ts';

test.each(['', '_', 'a\0', '__name__', 'le', 'quantile'])('the constant label %j is a problem at the start', (name) => {
  const parsed = v.safeParse(prometheusExporterConfig, { const_labels: { [name]: 'x' } });
  expect(parsed.issues?.map((issue) => v.getDotPath(issue))).toEqual([`const_labels.${name}`]);
});

test("accepts the example of the Collector's documentation", () => {
  const parsed = v.safeParse(prometheusExporterConfig, {
    endpoint: '1.2.3.4:1234',
    tls: { ca_file: '/path/to/ca.pem', cert_file: '/path/to/cert.pem', key_file: '/path/to/key.pem' },
    namespace: 'test-space',
    const_labels: { label1: 'value1', 'another label': 'spaced value' },
    send_timestamps: true,
    metric_expiration: '180m',
    enable_open_metrics: true,
    add_metric_suffixes: false,
    resource_to_telemetry_conversion: { enabled: true },
  });
  expect(parsed.issues).toBeUndefined();
});

test.each([
  ['UnderscoreEscapingWithSuffixes', 'g{another_label="spaced value"} 1'],
  ['NoTranslation', 'g{"another label"="spaced value"} 1'],
])('a constant label is translated as attributes are: %s', async (translation_strategy, line) => {
  await using exporter = await ExporterUnderTest.start({
    translation_strategy,
    const_labels: { 'another label': 'spaced value' },
  });
  await exporter.consume([gauge('g', 1)]);
  expect(await exporter.lines({ accept: 'text/plain;version=1.0.0;escaping=allow-utf-8' })).toEqual([line]);
});
