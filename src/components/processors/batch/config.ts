import * as v from 'valibot';
import { duration, nonNegativeInteger } from '../../../engine/schema/fields.ts';

export const batchConfig = v.pipe(
  v.nullish(
    v.strictObject({
      send_batch_size: v.optional(nonNegativeInteger(), 8192),
      timeout: v.optional(duration(), '200ms'),
      send_batch_max_size: v.optional(nonNegativeInteger(), 0),
      metadata_keys: v.optional(v.array(v.string()), []),
      metadata_cardinality_limit: v.optional(nonNegativeInteger()),
    }),
    {},
  ),
  v.check(
    ({ send_batch_size, send_batch_max_size }) => send_batch_max_size === 0 || send_batch_max_size >= send_batch_size,
    'has a send_batch_max_size below its send_batch_size: raise it, or set it to 0 for no limit',
  ),
);

export type BatchConfig = v.InferOutput<typeof batchConfig>;

/** siphon does not read request headers. */
export function idleKeys(config: BatchConfig): Readonly<Record<string, boolean>> {
  return {
    metadata_keys: config.metadata_keys.length > 0,
    metadata_cardinality_limit: config.metadata_cardinality_limit !== undefined,
  };
}
