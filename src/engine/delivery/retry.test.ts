import { describe, expect, it } from 'vitest';
import type { RetrySettings } from '../component.ts';
import { PermanentError, RetryableError } from '../errors.ts';
import { Retry } from './retry.ts';
import { Incident } from '../incident.ts';
import { spansBatch } from '../../../tests/support/components/batches.ts';
import { logLines } from '../../../tests/support/components/log-lines.ts';
import { SinkExporter } from '../../../tests/support/components/sink-exporter.ts';

const batch = spansBatch(['a']);
const settings = {
  initialIntervalMs: 10,
  maxIntervalMs: 10,
  maxElapsedTimeMs: 0,
  multiplier: 1,
  randomizationFactor: 0,
};

/** A backend that is away for its first `failures` attempts. */
function retrying(keys: Partial<RetrySettings>, failures: number, retryAfterMs?: number) {
  const sink = new SinkExporter();
  sink.answer = (attempt) => {
    if (attempt <= failures) throw new RetryableError('network_error', 'not now', { retryAfterMs });
  };
  const { logger, lines } = logLines();
  const incident = new Incident(logger, { failing: 'failing', recovered: 'recovered' });
  return { sink, lines, retry: new Retry(sink, { ...settings, ...keys }, incident) };
}

async function elapsedMs(work: Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work;
  return performance.now() - startedAtMs;
}

describe('Retry', () => {
  it('retries until the batch is accepted, and logs the failure and the recovery once', async () => {
    const { sink, lines, retry } = retrying({}, 3);
    await retry.consume(batch);
    expect(sink.attempts).toBe(4);
    expect(lines.map(({ msg }) => msg)).toEqual(['failing', 'recovered']);
    expect(lines[1]).toMatchObject({ failures: 3 });
  });

  it('gives up after max_elapsed_time under the code of the last attempt, with that as cause', async () => {
    const { sink, retry } = retrying({ maxElapsedTimeMs: 35 }, Infinity);
    const error = await retry.consume(batch).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PermanentError);
    expect(error).toMatchObject({ code: 'network_error', cause: expect.any(RetryableError) });
    expect(sink.attempts).toBeGreaterThan(1);
    expect(sink.attempts).toBeLessThanOrEqual(4);
  });

  it('waits for a backend that is away, but not for an item that alone is refused', async () => {
    const { sink, retry } = retrying({ maxElapsedTimeMs: 35, outlastsAbsence: true }, 20);
    await retry.consume(batch);
    expect(sink.attempts).toBe(21);

    const poisoned = spansBatch(['poison']);
    sink.consume = async (item) => {
      if (item === poisoned) throw new RetryableError('send_error', 'status 500');
    };
    const result = retry.consume(poisoned).then(String, (error: unknown) => error);
    for (let other = 0; other < 100; other++) {
      await retry.consume(batch);
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    expect(await result).toMatchObject({ name: 'PermanentError', code: 'send_error' });
  });

  it('does not try again what cannot help', async () => {
    const { sink, retry } = retrying({}, 0);
    sink.answer = () => {
      throw new PermanentError('http_4xx', 'no');
    };
    await expect(retry.consume(batch)).rejects.toMatchObject({ code: 'http_4xx' });
    expect(sink.attempts).toBe(1);
  });

  it('waits at least as long as the server asks, also in shutdown', async () => {
    const { sink, retry } = retrying({}, 1, 120);
    const sent = elapsedMs(retry.consume(batch));
    await expect.poll(() => sink.attempts, { interval: 5 }).toBe(1);
    retry.stopBy(AbortSignal.timeout(5000));
    expect(await sent).toBeGreaterThanOrEqual(110);
    expect(sink.attempts).toBe(2);
  });

  it('gives up immediately if the server asks for more time than is left', async () => {
    const { retry } = retrying({ maxElapsedTimeMs: 1000 }, 1, 60_000);
    const refused = expect(retry.consume(batch)).rejects.toMatchObject({ code: 'network_error' });
    expect(await elapsedMs(refused)).toBeLessThan(500);
  });

  it('cuts its own wait short when shutdown begins, so that nothing is lost to a backoff', async () => {
    const { sink, retry } = retrying({ initialIntervalMs: 60_000, maxIntervalMs: 60_000 }, 1);
    const sent = retry.consume(batch);
    await expect.poll(() => sink.attempts).toBe(1);
    retry.stopBy(AbortSignal.timeout(5000));
    expect(await elapsedMs(sent)).toBeLessThan(2000);
    expect(sink.items).toBe(1);
  });

  it('ends its waits at the deadline', async () => {
    const { retry } = retrying({}, Infinity, 60_000);
    const refused = expect(retry.consume(batch)).rejects.toMatchObject({ code: 'shutdown' });
    retry.stopBy(AbortSignal.timeout(20));
    expect(await elapsedMs(refused)).toBeLessThan(2000);
  });
});
