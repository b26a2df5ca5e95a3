import * as v from 'valibot';
import { duration, positiveInteger } from '../../../engine/schema/fields.ts';
import { spanKinds } from '../../../engine/otlp/span-reader.ts';

const texts = () => v.optional(v.array(v.pipe(v.string(), v.nonEmpty('must not be empty'))), []);

const rule = v.pipe(
  v.strictObject({
    metric: v.pipe(v.string(), v.nonEmpty('must not be empty')),
    span_kinds: v.optional(v.array(v.picklist(spanKinds)), []),
    span_names: texts(),
    attributes: texts(),
    optional_attributes: texts(),
  }),
  v.check(
    ({ span_names, attributes }) => span_names.length > 0 || attributes.length > 0,
    'needs span_names or attributes: otherwise every span would match',
  ),
);

/** The number of spans is bounded because their memory is reserved. */
const MAX_SPANS = 10_000_000;

export const exemplarsConfig = v.nullish(
  v.strictObject({
    built_in_rules: v.optional(v.boolean(), true),
    rules: v.optional(
      v.pipe(
        v.array(rule),
        v.check(
          (rules) => new Set(rules.map(({ metric }) => metric)).size === rules.length,
          'has two rules for one metric: give their span_names and attributes in one',
        ),
      ),
      [],
    ),
    tolerance: v.optional(duration(), '2ms'),
    max_spans: v.optional(v.pipe(positiveInteger(), v.maxValue(MAX_SPANS, `must be at most ${MAX_SPANS}`)), 50_000),
  }),
  {},
);

export type ExemplarsConfig = v.InferOutput<typeof exemplarsConfig>;
