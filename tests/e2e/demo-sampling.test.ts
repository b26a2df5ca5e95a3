/** Which traces Sentry gets with the configuration of the demo. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { CONFIGS } from '../../examples/coffee/sidecar.ts';
import { startSentrySink } from '../../examples/sentry-sink/sentry-sink.ts';
import { Sidecar } from '../support/processes/sidecar.ts';

const ORDINARY = ids('ordinary', 1000);
const LINKED = ids('linked', 50);
const FAILED = ids('failed', 50);

it('sends the failed traces, all that exemplars refer to and a tenth of the others, and stores every one', async () => {
  await using sink = await startSentrySink();
  await using sidecar = await Sidecar.start({ configs: CONFIGS, environment: { SENTRY_DSN: sink.dsn } });
  await post(sidecar, 'traces', requestOfSpans([...ORDINARY, ...LINKED]));
  await post(sidecar, 'traces', requestOfSpans(FAILED, { code: 2 }));
  await post(sidecar, 'metrics', requestOfExemplars(LINKED));
  expect((await sidecar.scrape({ accept: 'application/openmetrics-text' })).match(/ # \{/g)).toHaveLength(50);
  expect(await sidecar.stop()).toBe(0);

  const sent = new Set(sink.transactions().map(({ contexts }) => contexts.trace.trace_id));
  expect(LINKED.filter((id) => !sent.has(id))).toEqual([]);
  expect(FAILED.filter((id) => !sent.has(id))).toEqual([]);
  const share = ORDINARY.filter((id) => sent.has(id)).length / ORDINARY.length;
  // Four standard deviations of a tenth.
  expect(Math.abs(share - 0.1)).toBeLessThan(0.04);

  const fates = sidecar.logs.find(({ msg }) => msg === 'Shutdown is complete')!['ledger'];
  const all = ORDINARY.length + LINKED.length + FAILED.length;
  expect(fates).toContainEqual(
    expect.objectContaining({ account: 'exporters::telemetry_store', signal: 'traces', delivered: all }),
  );
  expect(fates).toContainEqual(
    expect.objectContaining({
      account: 'pipelines::traces/sentry',
      accepted: all,
      delivered: sent.size,
      dropped: { not_sampled: all - sent.size },
    }),
  );
});

/** Probabilities are decided by the hash of an id. */
function ids(name: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => createHash('md5').update(`${name} ${i}`).digest('hex'));
}

function spanIdOf(traceId: string): string {
  return traceId.slice(0, 16);
}

function requestOfSpans(traceIds: readonly string[], status: object = {}): object {
  const startTimeUnixNano = String(BigInt(Date.now()) * 1_000_000n);
  const spans = traceIds.map((traceId) => ({
    traceId,
    spanId: spanIdOf(traceId),
    name: 'price run',
    kind: 1,
    startTimeUnixNano,
    endTimeUnixNano: String(BigInt(startTimeUnixNano) + 1_000_000n),
    status,
  }));
  return { resourceSpans: [{ resource: RESOURCE, scopeSpans: [{ spans }] }] };
}

/** A counter with one series for each trace. */
function requestOfExemplars(traceIds: readonly string[]): object {
  const timeUnixNano = String(BigInt(Date.now()) * 1_000_000n);
  const dataPoints = traceIds.map((traceId, i) => ({
    asInt: '1',
    timeUnixNano,
    attributes: [{ key: 'shop', value: { stringValue: String(i) } }],
    exemplars: [{ traceId, spanId: spanIdOf(traceId), asInt: '1', timeUnixNano }],
  }));
  const metrics = [{ name: 'prices.read', sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints } }];
  return { resourceMetrics: [{ resource: RESOURCE, scopeMetrics: [{ metrics }] }] };
}

const RESOURCE = { attributes: [{ key: 'service.name', value: { stringValue: 'coffee-pipeline' } }] };

async function post(sidecar: Sidecar, signal: 'traces' | 'metrics', request: object): Promise<void> {
  const response = await fetch(`${sidecar.otlpHttp}/v1/${signal}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  expect(await response.json()).toEqual({});
}
