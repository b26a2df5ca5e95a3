import { expect, it } from 'vitest';
import { startSentrySink } from '../../../../examples/sentry-sink/sentry-sink.ts';
import { spanId, type SpanDraft } from '../../../../tests/support/otlp/otlp-spans.ts';
import { repeatedQueries } from '../../../../tests/support/sentry/repeated-queries.ts';
import { root, sendAll, spansSentAndFailed } from './exporter-under-test.ts';

const start = BigInt(Date.now() - 5000) * 1_000_000n;

/** A span of a database below the root, `n` milliseconds after it. */
function below(n: number, name: string, durationNano: bigint, more: Partial<SpanDraft> = {}): SpanDraft {
  const query = name === 'query' ? { 'db.query.text': `select * from cups where id = ${n}` } : {};
  const attributes = { 'db.system.name': 'postgresql', ...query };
  const startTimeUnixNano = start + BigInt(n) * 1_000_000n;
  return { spanId: spanId(n), parentSpanId: root.spanId, name, attributes, startTimeUnixNano, durationNano, ...more };
}

it.each(['transactions', 'spans'])(
  'shows repeated queries without the connections between them: %s',
  async (protocol) => {
    await using sink = await startSentrySink();
    const loop = Array.from({ length: 5 }, (_, n) => [
      below(10 + 10 * n, 'pg-pool.connect', 20_000n),
      below(11 + 10 * n, 'query', 5_000_000n),
    ]);
    const slow = below(90, 'pg-pool.connect', 40_000_000n);
    const opening = below(91, 'pg-pool.connect', 900_000n);
    const opened = below(92, 'pg.connect', 800_000n, { parentSpanId: opening.spanId });
    const failed = below(93, 'pg-pool.connect', 20_000n, { statusMessage: 'refused' });
    const spans = [{ ...root, startTimeUnixNano: start }, ...loop.flat(), slow, opening, opened, failed];
    const { counts } = await sendAll(sink, [spans], { protocol });
    const sent =
      protocol === 'spans'
        ? sink
            .spans()
            .slice(1)
            .map(({ attributes, name }) => attributes['db.query.text']?.value ?? name)
        : sink.transactions()[0]!.spans.map(({ description }) => description);
    expect(sent).toEqual([
      ...Array.from({ length: 5 }, () => 'select * from cups where id = ?'),
      'pg-pool.connect',
      'pg-pool.connect',
      'pg.connect',
      'pg-pool.connect',
    ]);
    expect((await counts()).get('span idle_connection')).toBe(5);
    expect(await spansSentAndFailed(counts)).toEqual([10, 0]);
  },
);

function asked(n: number, hadIdle: boolean, nano: bigint): SpanDraft {
  return below(n, 'pg-pool.connect', nano, { attributes: { 'db.postgresql.pool.had_idle': hadIdle } });
}

it('believes the sender that the pool had an idle connection, however long it took', async () => {
  await using sink = await startSentrySink();
  const spans = [asked(10, true, 40_000_000n), asked(11, false, 20_000n)];
  const { counts } = await sendAll(sink, [[{ ...root, startTimeUnixNano: start }, ...spans]]);
  expect(sink.transactions()[0]!.spans.map(({ span_id }) => span_id)).toEqual([spanId(11)]);
  expect((await counts()).get('span idle_connection')).toBe(1);
});

it.each([
  ['finds repeated queries if the pool had idle connections', 20_000n, 6],
  ['does not find them if each query waited for its connection', 2_000_000n, 0],
] as const)("Sentry's detector %s", async (_, waitNano, found) => {
  await using sink = await startSentrySink();
  const source = below(5, 'source', 3_000_000n, { attributes: { 'db.system.name': 'postgresql', 'db.query.text': 'select id from cups' } }); // prettier-ignore
  const loop = Array.from({ length: 6 }, (_item, n) => [
    below(20 + 20 * n, 'pg-pool.connect', waitNano),
    below(23 + 20 * n, 'query', 10_000_000n),
  ]);
  await sendAll(sink, [[{ ...root, startTimeUnixNano: start }, source, ...loop.flat()]]);
  expect(repeatedQueries(sink.transactions()[0]!)).toHaveLength(found);
});
