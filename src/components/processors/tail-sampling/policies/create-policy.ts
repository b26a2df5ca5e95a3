import { booleanAttribute, numericAttribute, stringAttribute } from './attribute-policies.ts';
import { Allowance } from './allowance.ts';
import { composite } from './composite-policy.ts';
import type { AndSubPolicyConfig, CompositeConfig, LeafPolicyConfig, NamedPolicyConfig } from './policy-config.ts';
import { ask, sampledIf, type Clock, type Policy, type Verdict } from './policy.ts';
import { probabilistic } from './probabilistic-policy.ts';
import type { WantedFacts } from './trace-facts.ts';

/**
 * The policy of a configuration.
 *
 * @param isReferred true if an exemplar refers to the trace.
 */
export function createPolicy(
  config: NamedPolicyConfig,
  clock: Clock,
  isReferred: (traceId: Uint8Array) => boolean,
): Policy {
  const { type, and, drop, not, composite: composed } = config;
  if (type === 'and') return allOf(required(and).and_sub_policy, clock, 'sampled');
  if (type === 'drop') return allOf(required(drop).drop_sub_policy, clock, 'dropped');
  if (type === 'not') return opposite(not, clock);
  if (type === 'composite') return compositePolicy(required(composed), clock);
  if (type === 'exemplar') return ({ traceId }) => sampledIf(isReferred(traceId));
  return leafPolicy({ ...config, type }, clock);
}

function compositePolicy(config: CompositeConfig, clock: Clock): Policy {
  const subPolicies = config.composite_sub_policy.map((sub) => ({
    name: sub.name,
    policy:
      sub.type === 'and'
        ? allOf(required(sub.and).and_sub_policy, clock, 'sampled')
        : leafPolicy({ ...sub, type: sub.type }, clock),
  }));
  return composite(config, subPolicies, clock);
}

/** `verdict` if all of them sample the trace. */
function allOf(configs: readonly AndSubPolicyConfig[], clock: Clock, verdict: Verdict): Policy {
  const policies = configs.map((config) =>
    config.type === 'not' ? opposite(config.not, clock) : leafPolicy({ ...config, type: config.type }, clock),
  );
  return function* decide(trace) {
    for (const policy of policies) {
      if ((yield* ask(policy, trace)) !== 'sampled') return 'not_sampled';
    }
    return verdict;
  };
}

function opposite(config: NamedPolicyConfig['not'], clock: Clock): Policy {
  const policy = leafPolicy(required(config).not_sub_policy, clock);
  return function* decide(trace) {
    return sampledIf((yield* ask(policy, trace)) === 'not_sampled');
  };
}

/** A policy that has no other policies in it. */
function leafPolicy(config: LeafPolicyConfig, clock: Clock): Policy {
  return LEAVES[config.type](config, clock);
}

const LEAVES: Readonly<Record<LeafPolicyConfig['type'], (config: LeafPolicyConfig, clock: Clock) => Policy>> = {
  always_sample: () => () => 'sampled',
  trace_flags: () => (trace) => sampledIf(trace.hasSampledFlag),
  latency: (config) => latency(required(config.latency)),
  numeric_attribute: (config) => numericAttribute(required(config.numeric_attribute)),
  string_attribute: (config) => stringAttribute(required(config.string_attribute)),
  boolean_attribute: (config) => booleanAttribute(required(config.boolean_attribute)),
  probabilistic: (config) => probabilistic(required(config.probabilistic)),
  status_code: (config) => statusCode(required(config.status_code)),
  span_count: (config) => spanCount(required(config.span_count)),
  trace_state: (config) => traceState(required(config.trace_state)),
  rate_limiting: (config, clock) => {
    const { spans_per_second: perSecond, burst_capacity: burst } = required(config.rate_limiting);
    return limited(new Allowance(perSecond, burst || 2 * perSecond, clock()), clock, 'spanCount');
  },
  bytes_limiting: (config, clock) => {
    const { bytes_per_second: perSecond, burst_capacity: burst } = required(config.bytes_limiting);
    return limited(new Allowance(perSecond, burst || 2 * perSecond, clock()), clock, 'sizeBytes');
  },
};

/** Whole milliseconds count, as in the stock Collector. */
function latency({ threshold_ms: threshold, upper_threshold_ms: upper }: Settings<'latency'>): Policy {
  if (upper === 0) return (trace) => sampledIf(Math.floor(trace.durationMs) >= threshold);
  return (trace) => {
    const durationMs = Math.floor(trace.durationMs);
    return sampledIf(threshold < durationMs && durationMs <= upper);
  };
}

const STATUS_CODES = { UNSET: 0, OK: 1, ERROR: 2 } as const;

function statusCode({ status_codes: names }: Settings<'status_code'>): Policy {
  return (trace) => sampledIf(names.some((name) => trace.hasStatus(STATUS_CODES[name])));
}

function spanCount({ min_spans: least, max_spans: most }: Settings<'span_count'>): Policy {
  return (trace) => sampledIf(trace.spanCount >= least && (most === 0 || trace.spanCount <= most));
}

function traceState({ key, values }: Settings<'trace_state'>): Policy {
  const members = new Set(values.map((value) => `${key}=${value}`));
  return (trace) =>
    sampledIf([...trace.traceStates].some((header) => header.split(',').some((member) => members.has(member.trim()))));
}

function limited(allowance: Allowance, clock: Clock, amount: 'spanCount' | 'sizeBytes'): Policy {
  return (trace) => {
    const isAllowed = allowance.allows(trace[amount], clock());
    if (isAllowed) allowance.spend(trace[amount]);
    return sampledIf(isAllowed);
  };
}

type Settings<Type extends keyof LeafPolicyConfig> = NonNullable<LeafPolicyConfig[Type]>;

/** The schema has checked that a policy has the settings of its type. */
function required<T>(settings: T | undefined): T {
  if (settings === undefined) throw new Error('a policy has no settings');
  return settings;
}

/** The facts that the policies look at. */
export function wantedFacts(policies: readonly NamedPolicyConfig[]): WantedFacts {
  const leaves: readonly LeafPolicyConfig[] = policies.flatMap((policy) => leavesOf(policy));
  const keys = leaves.flatMap((leaf) =>
    ATTRIBUTE_TYPES.flatMap((type) => (leaf.type === type ? (leaf[type]?.key ?? []) : [])),
  );
  return {
    attributes: [...new Set(keys)],
    traceStates: leaves.some(({ type }) => type === 'trace_state'),
    spans: leaves.some(({ type }) => SPAN_TYPES.has(type)),
  };
}

const ATTRIBUTE_TYPES = ['string_attribute', 'numeric_attribute', 'boolean_attribute'] as const;
const SPAN_TYPES: ReadonlySet<string> = new Set(['latency', 'status_code', 'trace_flags']);

function leavesOf(policy: NamedPolicyConfig): LeafPolicyConfig[] {
  const composed = policy.composite?.composite_sub_policy ?? [];
  const inner = [policy, ...composed].flatMap(({ and }) => and?.and_sub_policy ?? []);
  const sub = [...inner, ...(policy.drop?.drop_sub_policy ?? [])];
  const negated = [policy, ...sub].flatMap(({ not }) => not?.not_sub_policy ?? []);
  return [policy, ...composed, ...sub, ...negated] as LeafPolicyConfig[];
}
