import type { ComponentMetrics } from '../../../engine/component.ts';
import { fieldTags } from '../../../engine/otlp/schema.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import type { Steps } from '../../../pattern/work.ts';
import type { TailSamplingConfig } from './config.ts';
import type { HeldResource, HeldSpans } from './held-spans.ts';
import { createPolicy, wantedFacts } from './policies/create-policy.ts';
import { ask, type Policy, type Verdict } from './policies/policy.ts';
import { TraceFacts } from './policies/trace-facts.ts';
import type { WaitingTrace } from './waiting-traces.ts';

const RESOURCE = fieldTags('ResourceSpans').resource;
const BYTES_BETWEEN_PAUSES = 64 * 1024;
/** A span takes as long as reading this many bytes, besides its own. */
const SPAN_BYTES = 512;

interface NamedPolicy {
  readonly name: string;
  readonly policy: Policy;
}

/** Asks the policies about a trace. */
export class Judge {
  readonly #policies: readonly NamedPolicy[];
  readonly #endsAtFirstMatch: boolean;
  readonly #facts: TraceFacts;
  readonly #byPolicy;
  readonly #errors;

  constructor(config: TailSamplingConfig, metrics: ComponentMetrics, isReferred: (traceId: Uint8Array) => boolean) {
    // A trace that is dropped needs no other policy.
    const ranked = config.policies.toSorted((a, b) => Number(b.type === 'drop') - Number(a.type === 'drop'));
    this.#policies = ranked.map((policy) => ({
      name: policy.name,
      policy: createPolicy(policy, monotonicMs, isReferred),
    }));
    this.#endsAtFirstMatch = config.sample_on_first_match;
    this.#facts = new TraceFacts(wantedFacts(config.policies));
    this.#byPolicy = metrics.counter(sidecarMetrics.otelcol_processor_tail_sampling_count_traces_sampled);
    this.#errors = metrics.counter(sidecarMetrics.otelcol_processor_tail_sampling_sampling_policy_evaluation_error);
  }

  /** Spans that arrive meanwhile do not count. Yields where other work may run. */
  *decide(trace: WaitingTrace, spans: HeldSpans): Steps<Verdict> {
    yield* this.#read(trace, spans);
    const verdict = yield* this.#askPolicies();
    if (this.#facts.work.isSpent) this.#errors.add(1, {});
    return verdict;
  }

  *#askPolicies(): Steps<Verdict> {
    let isSampled = false;
    for (const { name, policy } of this.#policies) {
      const verdict = yield* ask(policy, this.#facts);
      this.#byPolicy.add(1, { policy: name, sampled: verdict === 'sampled' ? 'true' : 'false', decision: verdict });
      if (verdict === 'dropped') return 'dropped';
      if (verdict === 'sampled') isSampled = true;
      if (isSampled && this.#endsAtFirstMatch) break;
    }
    return isSampled ? 'sampled' : 'not_sampled';
  }

  *#read({ id, spans: { first }, spanCount, sizeBytes }: WaitingTrace, spans: HeldSpans): Steps<void> {
    const facts = this.#facts;
    facts.open(Buffer.from(id, 'latin1'), spanCount, sizeBytes);
    if (!facts.wantsSpans) return;
    let last: HeldResource | undefined;
    let workSincePause = 0;
    for (let span = first, left = spanCount; left > 0; span = spans.next(span), left--) {
      const { resource } = spans.scopeOf(span);
      const { bytes } = resource.request;
      const [start, end] = [spans.startOf(span), spans.endOf(span)];
      if (resource !== last) addResource(facts, resource);
      last = resource;
      facts.addSpan(bytes, start, end);
      workSincePause += SPAN_BYTES + end - start;
      if (workSincePause < BYTES_BETWEEN_PAUSES) continue;
      workSincePause = 0;
      yield;
    }
  }
}

function monotonicMs(): number {
  return performance.now();
}

function addResource(facts: TraceFacts, { request, fields }: HeldResource): void {
  for (let i = 0; i < fields.length; i += 2) {
    const reader = new WireReader(request.bytes, fields[i], fields[i + 1]);
    if (reader.tag() === RESOURCE) facts.addResource(reader.bytes());
  }
}
