import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { startSentrySink, type SentrySink } from '../../../../examples/sentry-sink/sentry-sink.ts';
import { findingsOf } from '../../../../tests/support/components/findings.ts';
import { hostWith } from '../../../../tests/support/components/host-with.ts';
import { batchOfLogs } from '../../../../tests/support/otlp/otlp-logs.ts';
import { batchOfSpans, spanId, TRACE_ID } from '../../../../tests/support/otlp/otlp-spans.ts';
import { waitFor } from '../../../../tests/support/wait-for.ts';
import { sentryExporterConfig } from './config.ts';
import { root, spansSentAndFailed, startExporter } from './exporter-under-test.ts';
import { sentryExporter } from './factory.ts';

const [SHOP_KEY, COFFEE_KEY] = ['a'.repeat(32), 'b'.repeat(32)];
const thrown = { name: 'exception', attributes: { 'exception.type': 'E', 'exception.message': 'm' } };

async function twoProjects(): Promise<AsyncDisposable & { readonly shop: SentrySink; readonly coffee: SentrySink }> {
  const [shop, coffee] = [await startSentrySink({ publicKey: SHOP_KEY }), await startSentrySink({ publicKey: COFFEE_KEY })]; // prettier-ignore
  return { shop, coffee, [Symbol.asyncDispose]: async () => void (await Promise.all([shop.stop(), coffee.stop()])) };
}

function toShop({ dsn }: SentrySink, ...match: readonly string[]): Record<string, unknown> {
  return { routing: { projects: [{ match, dsn }] } };
}

function spanIds(sink: SentrySink): string[] {
  return sink.transactions().flatMap(({ contexts, spans }) => [contexts.trace, ...spans].map((span) => span.span_id));
}

/** The mistakes in a project. */
function messages(project: object): string {
  const { issues } = v.safeParse(sentryExporterConfig, { routing: { projects: [project] } });
  return JSON.stringify(issues?.map(({ message }) => message));
}

describe('routing', () => {
  it(
    'sends each service to the project of the first pattern that matches, and the others to dsn',
    { timeout: 30_000 },
    async () => {
      await using sinks = await twoProjects();
      const { exporter, counts, stop } = await startExporter(sinks.coffee.dsn, toShop(sinks.shop, 'shop', 'shop-*'));
      for (const [index, service] of ['shop', 'shop-web', 'workshop', 'coffee'].entries()) {
        await exporter.consume(batchOfSpans([{ ...root, spanId: spanId(index + 1), events: [thrown] }], service));
      }
      await stop();
      expect([spanIds(sinks.shop), spanIds(sinks.coffee)].map((ids) => ids.toSorted())).toEqual([
        [spanId(1), spanId(2)],
        [spanId(3), spanId(4)],
      ]);
      expect([sinks.shop, sinks.coffee].map((sink) => sink.errors().map(({ tags }) => tags?.['service.name']))).toEqual(
        [
          ['shop', 'shop-web'],
          ['workshop', 'coffee'],
        ],
      );
      expect(await spansSentAndFailed(counts)).toEqual([4, 0]);
    },
  );

  it.each(['transactions', 'spans'])(
    'keeps a trace through two projects together, with the sampling context of its beginning: %s',
    async (protocol) => {
      await using sinks = await twoProjects();
      const { exporter, stop } = await startExporter(sinks.coffee.dsn, { protocol, ...toShop(sinks.shop, 'shop') });
      const answer = { spanId: spanId(2), parentSpanId: root.spanId, name: 'answer', kind: 'server' } as const;
      await exporter.consume(batchOfSpans([{ ...answer, events: [thrown] }], 'coffee'));
      await exporter.consume(batchOfSpans([{ ...root, name: 'ask' }], 'shop'));
      await stop();
      for (const sink of [sinks.shop, sinks.coffee]) {
        expect(sink.traces()[0]).toMatchObject({ trace_id: TRACE_ID, public_key: SHOP_KEY, transaction: 'ask' });
        expect(sink.problems()).toEqual([]);
      }
      const inner = protocol === 'spans' ? sinks.coffee.spans()[0] : sinks.coffee.transactions()[0]!.contexts.trace;
      expect(inner).toMatchObject({ trace_id: TRACE_ID, span_id: spanId(2), parent_span_id: root.spanId });
      expect(sinks.coffee.errors()).toMatchObject([{ transaction: 'answer', contexts: { trace: { trace_id: TRACE_ID } } }]); // prettier-ignore
    },
  );

  it('sends records of errors to the project of their service', async () => {
    await using sinks = await twoProjects();
    const { exporter, stop } = await startExporter(sinks.coffee.dsn, toShop(sinks.shop, 'shop'));
    for (const service of ['shop', 'coffee']) {
      const attributes = { 'exception.type': service, 'exception.message': 'm' };
      await exporter.consume(batchOfLogs([{ body: 'failed', attributes }], service));
    }
    await stop();
    const types = [sinks.shop, sinks.coffee].map((sink) => sink.errors().map(({ exception }) => exception.values[0]!.type)); // prettier-ignore
    expect(types).toEqual([['shop'], ['coffee']]);
  });

  it('decides by another attribute of the resource', async () => {
    await using sinks = await twoProjects();
    const routing = { attribute: 'telemetry.sdk.language', ...toShop(sinks.shop, 'node*')['routing']! };
    const { exporter, stop } = await startExporter(sinks.coffee.dsn, { routing });
    await exporter.consume(batchOfSpans([root], 'anything'));
    await stop();
    expect([spanIds(sinks.shop), spanIds(sinks.coffee)]).toEqual([[root.spanId], []]);
  });

  it('drops services without a project, by reason, and logs each once', async () => {
    await using sink = await startSentrySink();
    const { exporter, counts, lines, balance, stop } = await startExporter('', {
      routing: { projects: [{ match: ['off'], dsn: null }, { match: ['coffee'], dsn: sink.dsn }] }, // prettier-ignore
    });
    const attributes = { 'exception.type': 'E', 'exception.message': 'm' };
    for (const [index, service] of ['coffee', 'other', 'other', 'off'].entries()) {
      await exporter.consume(batchOfSpans([{ ...root, spanId: spanId(index + 1) }], service));
    }
    await exporter.consume(batchOfLogs([{ body: 'failed', attributes }], 'other'));
    await stop();
    expect(spanIds(sink)).toEqual([spanId(1)]);
    const counted = await counts();
    expect(['span no_project', 'span disabled', 'error no_project'].map((key) => counted.get(key))).toEqual([2, 1, 1]);
    expect(await spansSentAndFailed(counts)).toEqual([1, 0]);
    expect(balance().dropped).toEqual({ no_project: 2, disabled: 1 });
    expect(balance('logs').dropped).toEqual({ no_project: 1 });
    const warned = lines.filter(({ msg }) => String(msg).startsWith('No Sentry project'));
    expect(warned).toMatchObject([{ attribute: 'service.name', value: 'other' }]);
  });

  it('keeps the limits, the reports and the log lines of projects apart', async () => {
    await using sinks = await twoProjects();
    const { exporter, counts, lines, stop } = await startExporter(sinks.coffee.dsn, toShop(sinks.shop, 'shop'));
    sinks.shop.setFault({ status: 429, headers: { 'x-sentry-rate-limits': '60:transaction:organization' } });
    await exporter.consume(batchOfSpans([root], 'shop'));
    await waitFor(async () => (await counts()).get('transaction rate_limited') === 1, { what: 'the refusal' });
    sinks.shop.setFault(undefined);
    for (const service of ['shop', 'coffee']) {
      await exporter.consume(batchOfSpans([{ ...root, spanId: spanId(9), traceId: `${service === 'shop' ? 1 : 2}`.repeat(32) }], service)); // prettier-ignore
    }
    await stop();
    expect([spanIds(sinks.shop), spanIds(sinks.coffee)]).toEqual([[], [spanId(9)]]);
    expect(sinks.shop.discards()).toContainEqual({ reason: 'ratelimit_backoff', category: 'transaction', quantity: 1 });
    expect(sinks.coffee.discards()).toEqual([]);
    expect(JSON.stringify(lines)).not.toContain(SHOP_KEY);
  });

  it('keeps the queues of projects with the same number apart on disk', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'siphon-sentry-'));
    await using sinks = await twoProjects();
    const place = ({ name = 'own' }: { readonly name?: string }) => path.join(directory, name);
    const host = hostWith({
      file_storage: { directory: (owner: object) => Promise.resolve({ directory: place(owner), maxBytes: 1e9, fsync: false }) }, // prettier-ignore
    });
    const config = { ...toShop(sinks.shop, 'shop'), sending_queue: { storage: 'file_storage' } };
    for (const sink of [sinks.shop, sinks.coffee]) sink.setFault({ status: 500 });
    const first = await startExporter(sinks.coffee.dsn, config, host);
    for (const service of ['shop', 'coffee']) {
      await first.exporter.consume(batchOfSpans([{ ...root, name: service }], service));
      await first.exporter.consume(batchOfSpans([{ ...root, name: service, traceId: (service === 'shop' ? '1' : '2').repeat(32) }], service)); // prettier-ignore
    }
    await first.exporter.shutdown(AbortSignal.timeout(1000));
    const waiting = first.balance().waiting;
    expect(waiting).toBeGreaterThan(0);
    expect(readdirSync(directory)).toHaveLength(2);
    for (const sink of [sinks.shop, sinks.coffee]) sink.setFault(undefined);
    const second = await startExporter(sinks.coffee.dsn, config, host);
    await waitFor(() => second.balance().delivered === waiting, { what: 'the queues of before' });
    await second.stop();
    expect(new Set(sinks.shop.transactions().map(({ transaction }) => transaction))).toEqual(new Set(['shop']));
    expect(new Set(sinks.coffee.transactions().map(({ transaction }) => transaction))).toEqual(new Set(['coffee']));
    rmSync(directory, { recursive: true });
  });

  it('sends every span of any services exactly once, to its project', { timeout: 60_000 }, async () => {
    await using sinks = await twoProjects();
    let traces = 0;
    const services = fc.array(fc.constantFrom('shop', 'shop-web', 'coffee', 'tea'), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(services, fc.integer({ min: 1, max: 4 }), async (names, maxSpans) => {
        const traceId = (++traces).toString(16).padStart(32, '0');
        const { exporter, counts, stop } = await startExporter(sinks.coffee.dsn, {
          ...toShop(sinks.shop, 'shop*'),
          trace_buffer: { grace_period: '0s', max_spans: maxSpans },
        });
        for (const [index, name] of names.entries()) {
          const parent = index === 0 ? {} : { parentSpanId: spanId(index) };
          await exporter.consume(batchOfSpans([{ traceId, spanId: spanId(index + 1), ...parent }], name));
        }
        await stop();
        const sentTo = (sink: SentrySink): string[] =>
          sink
            .transactions()
            .filter(({ contexts }) => contexts.trace.trace_id === traceId)
            .flatMap(({ transaction, contexts, spans }) =>
              (transaction === 'incomplete trace' ? spans : [contexts.trace, ...spans]).map((span) => span.span_id),
            )
            .toSorted();
        const given = names.map((name, index) => ({ isShop: name.startsWith('shop'), id: spanId(index + 1) }));
        expect(sentTo(sinks.shop)).toEqual(given.filter(({ isShop }) => isShop).map(({ id }) => id));
        expect(sentTo(sinks.coffee)).toEqual(given.filter(({ isShop }) => !isShop).map(({ id }) => id));
        expect(await spansSentAndFailed(counts)).toEqual([names.length, 0]);
      }),
      { numRuns: 10 },
    );
  });

  it('is checked: a route needs a pattern and a DSN, whose key is not printed', () => {
    expect(messages({ match: [], dsn: '' })).toContain('must have a name or pattern');
    expect(messages({ match: ['a'] })).not.toBe('[]');
    const wrong = messages({ match: ['a'], dsn: `https://${SHOP_KEY}@` });
    expect(wrong).toContain('must be a DSN');
    expect(wrong).not.toContain(SHOP_KEY);
    const parsed = v.parse(sentryExporterConfig, { routing: { projects: [{ match: ['a'], dsn: `https://${SHOP_KEY}@h/1` }] } }); // prettier-ignore
    expect(JSON.stringify(parsed)).not.toContain(SHOP_KEY);
  });

  it('lets doctor check the server of each project, and name a route without one', async () => {
    await using sinks = await twoProjects();
    const config = {
      dsn: sinks.coffee.dsn.replace(/:\d+\//, ':1/'),
      routing: { projects: [{ match: ['shop'], dsn: sinks.shop.dsn }, { match: ['tea'], dsn: '' }] }, // prettier-ignore
    };
    const findings = await findingsOf(sentryExporter, config);
    expect(findings.map(({ severity }) => severity).toSorted()).toEqual(['error', 'ok', 'warning']);
    expect(findings.find(({ severity }) => severity === 'warning')).toMatchObject({
      what: 'is off for some services: routing::projects::1::dsn is empty, so telemetry is dropped',
    });
  });
});
