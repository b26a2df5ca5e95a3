import type { ComponentMetrics } from '../../../engine/component.ts';
import { fieldTags } from '../../../engine/otlp/schema.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';
import { sidecarMetrics } from '../../../metrics/self.ts';
import type { TailSamplingConfig } from './config.ts';
import type { HeldResource, HeldSpans } from './held-spans.ts';
import { createPolicy, wantedFacts } from './policies/create-policy.ts';
import type { Policy, Verdict } from './policies/policy.ts';
import { TraceFacts } from './policies/trace-facts.ts';
import type { WaitingTrace } from './waiting-traces.ts';

const RESOURCE = fieldTags('ResourceSpans').resource;

interface NamedPolicy {
  readonly name: string;
  readonly decide: Policy;
}

/** Asks the policies about a trace. */
export class Judge {
  readonly #policies: readonly NamedPolicy[];
  readonly #endsAtFirstMatch: boolean;
  readonly #facts: TraceFacts;
  readonly #byPolicy;

  constructor(config: TailSamplingConfig, metrics: ComponentMetrics, isReferred: (traceId: Uint8Array) => boolean) {
    // A trace that is dropped needs no other policy.
    const ranked = config.policies.toSorted((a, b) => Number(b.type === 'drop') - Number(a.type === 'drop'));
    this.#policies = ranked.map((policy) => ({
      name: policy.name,
      decide: createPolicy(policy, monotonicMs, isReferred),
    }));
    this.#endsAtFirstMatch = config.sample_on_first_match;
    this.#facts = new TraceFacts(wantedFacts(config.policies));
    this.#byPolicy = metrics.counter(sidecarMetrics.otelcol_processor_tail_sampling_count_traces_sampled);
  }

  decide(trace: WaitingTrace, spans: HeldSpans): Verdict {
    this.#read(trace, spans);
    let isSampled = false;
    for (const { name, decide } of this.#policies) {
      const verdict = decide(this.#facts);
      this.#byPolicy.add(1, { policy: name, sampled: verdict === 'sampled' ? 'true' : 'false', decision: verdict });
      if (verdict === 'dropped') return 'dropped';
      if (verdict === 'sampled') isSampled = true;
      if (isSampled && this.#endsAtFirstMatch) break;
    }
    return isSampled ? 'sampled' : 'not_sampled';
  }

  #read({ id, spans: list, spanCount, sizeBytes }: WaitingTrace, spans: HeldSpans): void {
    const facts = this.#facts;
    facts.open(Buffer.from(id, 'latin1'), spanCount, sizeBytes);
    if (!facts.wantsSpans) return;
    let last: HeldResource | undefined;
    for (let span = list.first; span >= 0; span = spans.next(span)) {
      const { resource } = spans.scopeOf(span);
      const { bytes } = resource.request;
      if (resource !== last) addResource(facts, resource);
      last = resource;
      facts.addSpan(bytes, spans.startOf(span), spans.endOf(span));
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
