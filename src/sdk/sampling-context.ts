/** Records on local roots how their trace was sampled. Sentry multiplies its counts by that. */
import { propagation, trace, type Baggage } from '@opentelemetry/api';
import { setValue } from './environment-problems.ts';
import { addSpanProcessor } from './span-processors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Sentry's part of `baggage`, which describes how the first service of the trace sampled it. */
const PREFIX = 'sentry-';
const MAX_CHARACTERS = 8192;

/**
 * Sets `sentry.dsc` on a span whose parent is in another process, as the members of Sentry's sampling context that came
 * with it; and `sentry.sample_rate` on a span that begins a trace, if the
 * sampler has a rate.
 */
export function recordSamplingContext(environment: Environment): void {
  const rate = sampleRate(environment);
  addSpanProcessor({
    onStart: (span, parentContext) => {
      const parent = trace.getSpanContext(parentContext);
      if (parent === undefined && rate !== undefined) span.setAttribute('sentry.sample_rate', rate);
      if (parent?.isRemote !== true) return;
      const members = sentryMembers(propagation.getBaggage(parentContext));
      if (members !== '' && members.length <= MAX_CHARACTERS) span.setAttribute('sentry.dsc', members);
    },
  });
}

function sentryMembers(baggage: Baggage | undefined): string {
  const entries = baggage?.getAllEntries().filter(([name]) => name.startsWith(PREFIX)) ?? [];
  return entries.map(([name, { value }]) => `${name}=${encodeURIComponent(value)}`).join(',');
}

/** Above 0, at most 1; undefined if the sampler has no rate, or an invalid one. The SDK takes 1 for a missing rate. */
function sampleRate(environment: Environment): number | undefined {
  const sampler = setValue(environment, 'OTEL_TRACES_SAMPLER')?.toLowerCase();
  if (sampler?.endsWith('traceidratio') !== true) return undefined;
  const rate = Number(setValue(environment, 'OTEL_TRACES_SAMPLER_ARG') ?? 1);
  return rate > 0 && rate <= 1 ? rate : undefined;
}
