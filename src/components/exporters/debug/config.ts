import * as v from 'valibot';
import { nonNegativeInteger, positiveInteger } from '../../../engine/schema/fields.ts';

export const debugConfig = v.nullish(
  v.strictObject({
    verbosity: v.optional(v.picklist(['basic', 'normal', 'detailed']), 'basic'),
    sampling_initial: v.optional(nonNegativeInteger(), 2),
    sampling_thereafter: v.optional(positiveInteger(), 1),
  }),
  {},
);

export type DebugConfig = v.InferOutput<typeof debugConfig>;
