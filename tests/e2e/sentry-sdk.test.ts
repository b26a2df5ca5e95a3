/** One service with Sentry's own SDK, whose envelopes are recorded, and with the preload and the sidecar. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkEnvelope, checkPayload, isItemType } from '../../examples/sentry-sink/checks.ts';
import { checkTraces } from '../../examples/sentry-sink/trace-checks.ts';
import type { SentError, SentTransaction } from '../../examples/sentry-sink/payloads.ts';
import { startTestPostgres } from '../support/postgres/test-postgres.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { aspectsOf, type Aspects } from '../support/sentry/aspects.ts';
import { EnvelopeCapture } from '../support/sentry/envelope-capture.ts';
import { runOrders } from '../support/sentry/run-orders.ts';
import recorded from '../support/sentry/sentry-sdk.json' with { type: 'json' };

const official: Aspects = recorded.aspects;

/** The rows of the table in `docs/sentry.md`: aspect, Sentry's SDK, siphon, reason. */
function documentedRows(): readonly (readonly string[])[] {
  const lines = readFileSync('docs/sentry.md', 'utf8').split('\n');
  const [, , ...rows] = lines.filter((line) => line.startsWith('| ')).map((line) => line.split('|').slice(1, -1));
  return rows.map((cells) => cells.map((cell) => cell.trim()));
}

describe('the same service with two SDKs', () => {
  let siphon: Aspects;
  let problems: readonly string[];

  beforeAll(async () => {
    await using postgres = await startTestPostgres({ schema: false });
    await using sampled = await EnvelopeCapture.start();
    await using unsampled = await EnvelopeCapture.start();
    for (const [capture, sampler] of [
      [sampled, 'parentbased_traceidratio'],
      [unsampled, 'always_off'],
    ] as const) {
      await using sidecar = await Sidecar.start({
        environment: { SENTRY_DSN: capture.dsn },
        sets: ['exporters.sentry.protocol=transactions'],
      });
      await runOrders('siphon-otel/preload', {
        DATABASE_URL: postgres.url,
        OTEL_EXPORTER_OTLP_ENDPOINT: sidecar.otlpHttp,
        OTEL_TRACES_SAMPLER: sampler,
        OTEL_TRACES_SAMPLER_ARG: '1',
        OTEL_SERVICE_NAME: 'orders',
        OTEL_RESOURCE_ATTRIBUTES: 'service.version=1.2.3,deployment.environment.name=test',
        SIPHON_FLUSH_TIMEOUT_MS: '10000',
      });
      expect(await sidecar.stop()).toBe(0);
    }
    siphon = aspectsOf(sampled, unsampled);
    problems = problemsOf(sampled);
  });

  it('differ as the documentation describes it, and nowhere else', () => {
    expect(problems).toEqual([]);
    const rows = Object.keys(siphon).map((aspect) => [aspect, official[aspect], siphon[aspect]]);
    const documented = documentedRows();
    expect(documented.map((cells) => cells.slice(0, 3))).toEqual(rows);
    const withoutReason = documented.filter(([, theirs, ours, reason = '']) => theirs !== ours && reason === '');
    expect(withoutReason).toEqual([]);
  });
});

function problemsOf(capture: EnvelopeCapture): string[] {
  const envelopes = capture.envelopes.map(({ header, items }) => {
    const framed = items.map((item) => ({ header: item.header, payload: Buffer.from(JSON.stringify(item.payload)) }));
    return checkEnvelope({ header, items: framed });
  });
  const payloads = capture.envelopes.flatMap(({ items }) =>
    items.flatMap(({ header: { type }, payload }) => (isItemType(type) ? checkPayload(type, payload) : [])),
  );
  const transactions = capture.payloads('transaction') as unknown as SentTransaction[];
  const errors = capture.payloads('event') as unknown as SentError[];
  return [...envelopes.flat(), ...payloads, ...checkTraces({ transactions, spans: [], errors })];
}
