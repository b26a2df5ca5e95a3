import * as v from 'valibot';
import { duration, nonNegativeInteger, positiveInteger } from '../../../../engine/schema/fields.ts';
import { textPattern } from '../../../../pattern/text-patterns.ts';

const key = v.pipe(v.string(), v.nonEmpty('must not be empty'));
const invert = v.optional(v.boolean(), false);
const wholeNumber = v.pipe(v.number(), v.safeInteger('must be a whole number'));

const latency = v.strictObject({
  threshold_ms: v.optional(nonNegativeInteger(), 0),
  upper_threshold_ms: v.optional(nonNegativeInteger(), 0),
});

const numericAttribute = v.pipe(
  v.strictObject({
    key,
    min_value: v.optional(wholeNumber),
    max_value: v.optional(wholeNumber),
    invert_match: invert,
  }),
  v.check(({ min_value, max_value }) => (min_value ?? max_value) !== undefined, 'needs min_value or max_value'),
);

const probabilistic = v.strictObject({
  sampling_percentage: v.optional(v.pipe(v.number(), v.minValue(0, 'must not be negative')), 0),
  hash_salt: v.optional(v.string(), ''),
});

const statusCode = v.strictObject({
  status_codes: v.pipe(v.array(v.picklist(['OK', 'ERROR', 'UNSET'])), v.minLength(1, 'needs at least one status code')),
});

const stringAttribute = v.pipe(
  v.strictObject({
    key,
    values: v.pipe(v.array(v.string()), v.minLength(1, 'needs at least one value')),
    enabled_regex_matching: v.optional(v.boolean(), false),
    cache_max_size: v.optional(nonNegativeInteger(), 0),
    invert_match: invert,
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed || !dataset.value.enabled_regex_matching) return;
    for (const value of dataset.value.values) {
      try {
        textPattern(value);
      } catch (error) {
        addIssue({ message: `has a pattern that cannot be used: ${(error as Error).message}` });
      }
    }
  }),
);

const rateLimiting = v.strictObject({
  spans_per_second: positiveInteger(),
  burst_capacity: v.optional(nonNegativeInteger(), 0),
});
const bytesLimiting = v.strictObject({
  bytes_per_second: positiveInteger(),
  burst_capacity: v.optional(nonNegativeInteger(), 0),
});
const spanCount = v.strictObject({
  min_spans: v.optional(nonNegativeInteger(), 0),
  max_spans: v.optional(nonNegativeInteger(), 0),
});
const traceState = v.strictObject({
  key,
  values: v.pipe(v.array(v.string()), v.minLength(1, 'needs at least one value')),
});
const booleanAttribute = v.strictObject({ key, value: v.optional(v.boolean(), false), invert_match: invert });

/** The settings of one policy: those under the name of its type. */
const leafEntries = {
  latency: v.optional(latency),
  numeric_attribute: v.optional(numericAttribute),
  probabilistic: v.optional(probabilistic),
  status_code: v.optional(statusCode),
  string_attribute: v.optional(stringAttribute),
  rate_limiting: v.optional(rateLimiting),
  bytes_limiting: v.optional(bytesLimiting),
  span_count: v.optional(spanCount),
  trace_state: v.optional(traceState),
  boolean_attribute: v.optional(booleanAttribute),
};

const leafTypes = ['always_sample', 'trace_flags', ...keysOf(leafEntries)] as const;

/** These have no settings that must be set. */
const FREE_TYPES: ReadonlySet<string> = new Set(['always_sample', 'trace_flags', 'exemplar']);

const notSubPolicy = v.pipe(
  v.strictObject({ name: v.optional(v.string(), ''), type: typeIn(leafTypes), ...leafEntries }),
  hasSettings(),
);
const notEntry = { not: v.optional(v.strictObject({ not_sub_policy: notSubPolicy })) };

const andSubPolicy = v.pipe(
  v.strictObject({
    name: v.optional(v.string(), ''),
    type: typeIn([...leafTypes, 'not']),
    ...leafEntries,
    ...notEntry,
  }),
  hasSettings(),
);
const andSubPolicies = v.pipe(v.array(andSubPolicy), v.minLength(1, 'needs at least one policy'));
const andEntry = { and: v.optional(v.strictObject({ and_sub_policy: andSubPolicies })) };

const compositeSubPolicy = v.pipe(
  v.strictObject({ name: key, type: typeIn([...leafTypes, 'and']), ...leafEntries, ...andEntry }),
  hasSettings(),
);
const composite = v.pipe(
  v.strictObject({
    max_total_spans_per_second: positiveInteger(),
    policy_order: v.optional(v.array(v.string()), []),
    composite_sub_policy: v.pipe(v.array(compositeSubPolicy), v.minLength(1, 'needs at least one policy')),
    rate_allocation: v.optional(
      v.array(v.strictObject({ policy: v.string(), percent: v.optional(nonNegativeInteger(), 0) })),
      [],
    ),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { policy_order, rate_allocation, composite_sub_policy } = dataset.value;
    const names = new Set(composite_sub_policy.map(({ name }) => name));
    for (const name of [...policy_order, ...rate_allocation.map(({ policy }) => policy)]) {
      if (!names.has(name))
        addIssue({ message: `names the policy ${name}, which is not one of its composite_sub_policy` });
    }
  }),
);

/** A policy of the list `policies`. */
export const namedPolicy = v.pipe(
  v.strictObject({
    name: key,
    type: typeIn([...leafTypes, 'and', 'not', 'drop', 'composite', 'exemplar']),
    ...leafEntries,
    ...andEntry,
    ...notEntry,
    drop: v.optional(v.strictObject({ drop_sub_policy: andSubPolicies })),
    composite: v.optional(composite),
    exemplar: v.optional(v.strictObject({ wait: v.optional(duration(), '75s') }), {}),
  }),
  hasSettings(),
);

export type NamedPolicyConfig = v.InferOutput<typeof namedPolicy>;
export type AndSubPolicyConfig = v.InferOutput<typeof andSubPolicy>;
export type CompositeConfig = v.InferOutput<typeof composite>;
/** Any policy that has no other policies in it. */
export type LeafPolicyConfig = v.InferOutput<typeof notSubPolicy>;

function keysOf<Entries extends object>(entries: Entries): (keyof Entries & string)[] {
  return Object.keys(entries) as (keyof Entries & string)[];
}

function typeIn<const Types extends readonly string[]>(types: Types): v.PicklistSchema<Types, string> {
  return v.picklist(types, `must be one of ${types.join(', ')}`);
}

/** Each type has its settings under its own name. */
function hasSettings<Policy extends { readonly type: string }>(): v.CheckAction<Policy, string> {
  return v.check(
    (policy) => FREE_TYPES.has(policy.type) || Object.hasOwn(policy, policy.type),
    'needs the settings of its type, under the name of the type',
  );
}
