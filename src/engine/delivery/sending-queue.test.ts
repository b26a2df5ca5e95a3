import { describe, expect, it } from 'vitest';
import { RetryableError } from '../errors.ts';
import { backoffMs } from './retry.ts';
import { SendingQueue } from './sending-queue.ts';
import { reasonOf } from '../telemetry/item-counts.ts';
import { spansBatch } from '../../../tests/support/components/batches.ts';
import { BlockingConsumer } from '../../../tests/support/components/blocking-consumer.ts';

const batch = spansBatch(['a', 'b']);
const settings = { numConsumers: 1, queueSize: 2, sizer: 'requests', blockOnOverflow: false } as const;
const countOf = ({ itemCount }: { readonly itemCount: number }): number => itemCount;
const ignored = { sent: () => undefined, dropped: () => undefined };

describe('SendingQueue', () => {
  it('refuses what does not fit as retryable, and counts what is being sent against its size', async () => {
    const consumer = new BlockingConsumer();
    const queue = new SendingQueue(consumer, settings, countOf, ignored);
    await queue.consume(batch);
    await queue.consume(batch);
    expect(queue.size).toBe(2);
    await expect(queue.consume(batch)).rejects.toThrow(RetryableError);
    consumer.open();
    await queue.drain(AbortSignal.timeout(1000));
    expect(queue.size).toBe(0);
  });

  it.each([
    ['items', 2 * batch.itemCount],
    ['bytes', 2 * batch.sizeBytes],
  ] as const)('measures %s', async (sizer, queueSize) => {
    const queue = new SendingQueue(new BlockingConsumer(), { ...settings, sizer, queueSize }, countOf, ignored);
    await queue.consume(batch);
    await queue.consume(batch);
    await expect(queue.consume(batch)).rejects.toMatchObject({ code: 'queue_full' });
    await expect(queue.consume({ ...batch, itemCount: 99, sizeBytes: 99_999 })).rejects.toMatchObject({
      code: 'too_large',
    });
  });

  it('makes the sender wait for room with block_on_overflow', async () => {
    const consumer = new BlockingConsumer();
    const queue = new SendingQueue(consumer, { ...settings, queueSize: 1, blockOnOverflow: true }, countOf, ignored);
    await queue.consume(batch);
    let taken = false;
    const blocked = queue.consume(batch).then(() => (taken = true));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(taken).toBe(false);
    consumer.open();
    await blocked;
    await queue.drain(AbortSignal.timeout(1000));
    expect(consumer.accepted).toHaveLength(2);
  });

  it('knows how many items wait and are blocked, without a look at each of them', async () => {
    const consumer = new BlockingConsumer();
    let looks = 0;
    const counting = (one: { readonly itemCount: number }): number => {
      looks++;
      return one.itemCount;
    };
    const roomy = { ...settings, queueSize: 1000, blockOnOverflow: true };
    const queue = new SendingQueue(consumer, roomy, counting, ignored);
    for (let i = 0; i < 1000; i++) await queue.consume(batch);
    const blocked = [queue.consume(batch), queue.consume(spansBatch(['c']))];
    const looksBefore = looks;
    expect([queue.waitingItems, queue.blockedItems, looks - looksBefore]).toEqual([2000, 3, 0]);
    consumer.open();
    await Promise.all(blocked);
    expect(queue.blockedItems).toBe(0);
    await queue.drain(AbortSignal.timeout(5000));
    expect([queue.waitingItems, queue.blockedItems]).toEqual([0, 0]);
  });

  it('knows that nothing waits after it has given up', async () => {
    const consumer = new BlockingConsumer();
    const queue = new SendingQueue(consumer, { ...settings, queueSize: 2, blockOnOverflow: true }, countOf, ignored);
    await queue.consume(batch);
    await queue.consume(batch);
    const refused = expect(queue.consume(batch)).rejects.toMatchObject({ code: 'shutdown' });
    await queue.drain(AbortSignal.abort());
    await refused;
    expect([queue.waitingItems, queue.blockedItems]).toEqual([2, 0]);
    await queue.settled();
    expect([queue.waitingItems, queue.blockedItems]).toEqual([0, 0]);
  });

  it('gives up at the deadline and drops the rest with a reason, once', async () => {
    const consumer = new BlockingConsumer();
    const reasons: string[] = [];
    const queue = new SendingQueue(consumer, settings, countOf, {
      ...ignored,
      dropped: (_batch, error) => reasons.push(reasonOf(error)),
    });
    await queue.consume(batch);
    await queue.consume(batch);
    await queue.drain(AbortSignal.timeout(5));
    expect(reasons).toEqual(['shutdown']);
    await queue.settled();
    expect(reasons).toEqual(['shutdown', 'shutdown']);
    expect(queue.size).toBe(0);

    consumer.fail(new RetryableError('network_error', 'not now'));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(reasons).toHaveLength(2);
    await expect(queue.consume(batch)).rejects.toMatchObject({ code: 'shutdown' });
  });

  it('waits a moment behind the deadline for what is just arriving', async () => {
    const consumer = new BlockingConsumer();
    const dropped: unknown[] = [];
    const queue = new SendingQueue(consumer, settings, countOf, { ...ignored, dropped: (one) => dropped.push(one) });
    await queue.consume(batch);
    await queue.drain(AbortSignal.abort());
    setTimeout(() => consumer.open(), 20);
    await queue.settled();
    expect(dropped).toEqual([]);
    expect(consumer.accepted).toHaveLength(1);
  });
});

describe('backoffMs', () => {
  const retry = {
    initialIntervalMs: 100,
    maxIntervalMs: 300,
    maxElapsedTimeMs: 0,
    multiplier: 2,
    randomizationFactor: 0.5,
  };
  it.each([
    [0, 0.5, 100],
    [1, 0.5, 200],
    [9, 0.5, 300],
    [0, 0, 50],
    [0, 1, 150],
  ])('attempt %i with chance %d waits %i ms', (attempt, chance, expected) => {
    expect(backoffMs(retry, attempt, () => chance)).toBe(expected);
  });
});
