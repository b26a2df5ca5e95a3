import * as v from 'valibot';
import { endpoint, nonNegativeInteger } from '../../../engine/schema/fields.ts';

export const pprofConfig = v.optional(
  v.strictObject({
    endpoint: v.optional(endpoint('localhost:1777'), 'localhost:1777'),
    block_profile_fraction: v.optional(nonNegativeInteger(), 0),
    mutex_profile_fraction: v.optional(nonNegativeInteger(), 0),
    save_to_file: v.optional(v.string(), ''),
  }),
  {},
);

export type PprofConfig = v.InferOutput<typeof pprofConfig>;

/** Node has neither locks nor blocking goroutines. A profile of the whole run would cost CPU all the time. */
export function idleKeys(config: PprofConfig): Readonly<Record<string, boolean>> {
  return {
    block_profile_fraction: config.block_profile_fraction > 0,
    mutex_profile_fraction: config.mutex_profile_fraction > 0,
    save_to_file: config.save_to_file !== '',
  };
}
