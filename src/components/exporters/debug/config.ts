import * as v from 'valibot';
import { nonNegativeInteger, positiveInteger } from '../../../engine/schema/fields.ts';

export const debugConfig = v.nullish(
  v.strictObject({
    verbosity: v.optional(v.pipe(v.string(), v.toLowerCase(), v.picklist(['basic', 'normal', 'detailed'])), 'basic'),
    sampling_initial: v.optional(nonNegativeInteger(), 2),
    sampling_thereafter: v.optional(positiveInteger(), 1),
    // Only siphon's own log exists.
    use_internal_logger: v.optional(v.boolean(), true),
    output_paths: v.optional(v.array(v.string()), []),
    // Lines are written when they arrive.
    sending_queue: v.nullish(v.looseObject({ enabled: v.optional(v.boolean(), true) })),
  }),
  {},
);

export type DebugConfig = v.InferOutput<typeof debugConfig>;
