import { Allowance } from './allowance.ts';
import type { CompositeConfig } from './policy-config.ts';
import { ask, type Clock, type Policy } from './policy.ts';

interface SubPolicy {
  readonly name: string;
  readonly policy: Policy;
}

/** The first policy that samples the trace decides; the trace is kept if that policy has spans left in this second. */
export function composite(config: CompositeConfig, subPolicies: readonly SubPolicy[], clock: Clock): Policy {
  const { max_total_spans_per_second: maxTotal, policy_order: order, rate_allocation: allocations } = config;
  const startMs = clock();
  const percents = new Map(allocations.map(({ policy, percent }) => [policy, percent]));
  const total = new Allowance(maxTotal, maxTotal, startMs);
  const ranked = subPolicies.toSorted((a, b) => rankOf(a, order) - rankOf(b, order));
  const limited = ranked.map(({ name, policy }) => {
    // A policy without a share gets an equal one.
    const share = (percents.get(name) || 100 / subPolicies.length) / 100;
    return { policy, own: new Allowance(share * maxTotal, share * maxTotal, startMs) };
  });
  return function* decide(trace) {
    for (const { policy, own } of limited) {
      if ((yield* ask(policy, trace)) !== 'sampled') continue;
      const nowMs = clock();
      if (!own.allows(trace.spanCount, nowMs) || !total.allows(trace.spanCount, nowMs)) return 'not_sampled';
      own.spend(trace.spanCount);
      total.spend(trace.spanCount);
      return 'sampled';
    }
    return 'not_sampled';
  };
}

/** Policies that the order does not name come last. */
function rankOf({ name }: SubPolicy, order: readonly string[]): number {
  const rank = order.indexOf(name);
  return rank < 0 ? order.length : rank;
}
