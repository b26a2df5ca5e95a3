/** The keys `sending_queue` and `retry_on_failure` of exporters that send over a network. */
import * as v from 'valibot';
import { duration, positiveDuration, positiveInteger } from './fields.ts';
import { storageReference } from './extension-reference.ts';
import type { QueueSettings, RetrySettings } from '../component.ts';

type QueueBound = Pick<QueueSettings, 'queueSize' | 'sizer'>;

/** Undefined with `enabled: false`. @param bound the default capacity; the stock one if absent. */
export function sendingQueue(
  bound: QueueBound = { queueSize: 1000, sizer: 'requests' },
): v.GenericSchema<unknown, QueueSettings | undefined> {
  return v.pipe(v.nullish(sendingQueueKeys(bound), {}), v.transform(toQueueSettings));
}

/** Undefined with `enabled: false`. */
export function retryOnFailure(): v.GenericSchema<unknown, RetrySettings | undefined> {
  return v.pipe(v.nullish(retryKeys, {}), v.check(intervalsFit, intervalsMessage), v.transform(toRetrySettings));
}

const retryKeys = v.strictObject({
  enabled: v.optional(v.boolean(), true),
  initial_interval: v.optional(positiveDuration(), '5s'),
  max_interval: v.optional(positiveDuration(), '30s'),
  multiplier: v.optional(v.pipe(v.number(), v.minValue(1, 'must be at least 1')), 1.5),
  randomization_factor: v.optional(
    v.pipe(v.number(), v.minValue(0, 'must not be negative'), v.maxValue(1, 'must be at most 1')),
    0.5,
  ),
  max_elapsed_time: v.optional(duration(), '300s'),
});

type QueueKeys = v.InferOutput<ReturnType<typeof sendingQueueKeys>>;
type RetryKeys = v.InferOutput<typeof retryKeys>;

const intervalsMessage = 'has a max_elapsed_time shorter than its initial_interval, so that nothing is ever retried';

function intervalsFit(keys: RetryKeys): boolean {
  return !keys.enabled || keys.max_elapsed_time === 0 || keys.max_elapsed_time >= keys.initial_interval;
}

function sendingQueueKeys({ queueSize, sizer }: QueueBound) {
  return v.strictObject({
    enabled: v.optional(v.boolean(), true),
    num_consumers: v.optional(positiveInteger(), 10),
    queue_size: v.optional(positiveInteger(), queueSize),
    sizer: v.optional(v.picklist(['requests', 'items', 'bytes']), sizer),
    block_on_overflow: v.optional(v.boolean(), false),
    storage: v.optional(storageReference),
  });
}

function toQueueSettings(keys: QueueKeys): QueueSettings | undefined {
  if (!keys.enabled) return undefined;
  return {
    numConsumers: keys.num_consumers,
    queueSize: keys.queue_size,
    sizer: keys.sizer,
    blockOnOverflow: keys.block_on_overflow,
    storage: keys.storage,
  };
}

function toRetrySettings(keys: RetryKeys): RetrySettings | undefined {
  if (!keys.enabled) return undefined;
  return {
    initialIntervalMs: keys.initial_interval,
    maxIntervalMs: keys.max_interval,
    maxElapsedTimeMs: keys.max_elapsed_time,
    multiplier: keys.multiplier,
    randomizationFactor: keys.randomization_factor,
  };
}
