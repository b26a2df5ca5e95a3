import { describe, expect, it } from 'vitest';
import { startSentrySink } from '../../../../examples/sentry-sink/sentry-sink.ts';
import { batchOfSpans, spanId } from '../../../../tests/support/otlp/otlp-spans.ts';
import { waitFor } from '../../../../tests/support/wait-for.ts';
import { root, startExporter } from './exporter-under-test.ts';

describe('the log of refusals', () => {
  it('logs a limited category once when it begins and once when it ends', async () => {
    await using sink = await startSentrySink();
    const { exporter, lines, counts, stop } = await startExporter(sink.dsn);
    sink.setFault({ status: 429, headers: { 'x-sentry-rate-limits': '1:transaction:organization' } });
    for (let n = 1; n <= 3; n++) await exporter.consume(batchOfSpans([{ ...root, spanId: spanId(n), events: [] }]));
    await waitFor(
      async () => {
        const counted = await counts();
        return (
          ['rate_limited', 'ratelimit_backoff']
            .map((reason) => counted.get(`transaction ${reason}`) ?? 0)
            .reduce((x, y) => x + y) === 3
        );
      },
      { what: 'three drops' },
    );
    sink.setFault(undefined);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await exporter.consume(batchOfSpans([{ ...root, spanId: spanId(9) }]));
    expect(await sink.waitFor(() => sink.transactions().length === 1, 5000)).toBe(true);
    await stop();
    const logged = lines.filter((line) => line['category'] === 'transaction').map((line) => line['msg']);
    expect(logged).toEqual([
      'Sentry limits the rate of a category, which is dropped',
      'Sentry accepts the category again',
    ]);
    expect(lines.filter((line) => String(line['msg']).startsWith('Envelopes do not reach'))).toEqual([]);
  });

  it('logs why Sentry refuses an envelope', async () => {
    await using sink = await startSentrySink();
    sink.setFault({ status: 400, headers: { 'x-sentry-error': 'invalid event\t envelope' } });
    const { exporter, lines, counts, stop } = await startExporter(sink.dsn);
    await exporter.consume(batchOfSpans([root]));
    await waitFor(async () => (await counts()).get('transaction send_error') === 1, { what: 'the refusal' });
    sink.setFault(undefined);
    await stop();
    const line = lines.find(({ msg }) => msg === 'Envelopes do not reach Sentry');
    expect(JSON.stringify(line)).toContain('Sentry answered 400: invalid event envelope: requested by the test');
  });

  it('fails to start, and names the file, if tls.ca_file cannot be read', async () => {
    await expect(startExporter('https://a@sentry.test/1', { tls: { ca_file: '/none/ca.pem' } })).rejects.toThrow(
      /\/none\/ca\.pem/,
    );
  });
});
