/** The alternative to `sentry` that its documentation describes: `otlp_http` to Sentry's endpoint for OTLP. */
import { readFileSync } from 'node:fs';
import { load } from 'js-yaml';
import * as v from 'valibot';
import { expect, it } from 'vitest';
import { startSentrySink } from '../../../../examples/sentry-sink/sentry-sink.ts';
import { otlpHttpExporterConfig } from '../../../../src/components/exporters/otlp-http/config.ts';
import { otlpHttpExporter } from '../../../../src/components/exporters/otlp-http/factory.ts';
import { spanSteps } from '../../../../src/engine/otlp/span-reader.ts';
import { componentSettings } from '../../../support/components/component-settings.ts';
import { hostWith } from '../../../support/components/host-with.ts';
import { batchOfSpans, spanId } from '../../../support/otlp/otlp-spans.ts';

/** The documented configuration with another server and key. */
function documented(origin: string, key: string): unknown {
  const text = readFileSync('docs/sentry.md', 'utf8');
  const [, block = ''] = /```yaml\n(exporters:\n  otlp_http\/sentry:[^]*?)```/.exec(text) ?? [];
  const own = block.replace(/https:\/\/[\w.]+\/api\/\d+/, `${origin}/api/1`).replace('${env:SENTRY_KEY}', key);
  return (load(own) as { exporters: Record<string, unknown> }).exporters['otlp_http/sentry'];
}

async function send(config: unknown): Promise<void> {
  const { settings } = componentSettings('exporter', 'otlp_http/sentry');
  const exporter = otlpHttpExporter.create(settings, v.parse(otlpHttpExporterConfig, config));
  await exporter.start(hostWith());
  const events = [{ name: 'exception', attributes: { 'exception.type': 'E', 'exception.message': 'm' } }];
  try {
    await exporter.consume(batchOfSpans([{ spanId: spanId(1), name: 'A.2 fetch', events }]));
  } finally {
    await exporter.shutdown(AbortSignal.timeout(5000));
  }
}

it('delivers spans to the path and with the header that the documentation names', async () => {
  await using sink = await startSentrySink();
  const { origin, username } = new URL(sink.dsn);
  await send(documented(origin, username));
  expect(sink.problems()).toEqual([]);
  const spans = sink.otlpRequests().flatMap((body) => [...spanSteps(body)].filter((span) => span !== undefined));
  expect(spans).toMatchObject([{ name: 'A.2 fetch', events: [{ name: 'exception' }] }]);
  // Sentry drops the events of spans that come through OTLP.
  expect(sink.errors()).toEqual([]);
});

it('is refused with another key', async () => {
  await using sink = await startSentrySink();
  await expect(send(documented(new URL(sink.dsn).origin, 'another'))).rejects.toThrow(/answered 403.*sentry_key/);
  expect(sink.otlpRequests()).toEqual([]);
});
