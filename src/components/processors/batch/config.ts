import * as v from 'valibot';
import { duration, nonNegativeInteger } from '../../../engine/schema/fields.ts';

export const batchConfig = v.pipe(
  v.nullish(
    v.strictObject({
      send_batch_size: v.optional(nonNegativeInteger(), 8192),
      timeout: v.optional(duration(), '200ms'),
      send_batch_max_size: v.optional(nonNegativeInteger(), 0),
    }),
    {},
  ),
  v.check(
    ({ send_batch_size, send_batch_max_size }) => send_batch_max_size === 0 || send_batch_max_size >= send_batch_size,
    'has a send_batch_max_size below its send_batch_size: raise it, or set it to 0 for no limit',
  ),
);

export type BatchConfig = v.InferOutput<typeof batchConfig>;
