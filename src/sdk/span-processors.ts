/** Adds processors to the tracer provider of NodeSDK, whose own options would replace its exporter. */
import { trace, type ProxyTracerProvider } from '@opentelemetry/api';
import type { Sampler, SpanProcessor } from '@opentelemetry/sdk-trace';

interface Provider {
  readonly _activeSpanProcessor?: { readonly _spanProcessors?: SpanProcessor[] };
  readonly _tracerOptions?: { readonly sampler: Sampler };
}

/** The SDK calls `onEnding` of all processors before `onEnd` of the first. */
export function addSpanProcessor(processor: Partial<SpanProcessor>): void {
  provider()['_activeSpanProcessor']?.['_spanProcessors']?.push({ ...NOTHING, ...processor });
}

const NOTHING: SpanProcessor = {
  onStart: () => undefined,
  onEnd: () => undefined,
  forceFlush: async () => undefined,
  shutdown: async () => undefined,
};

/** The sampler that all tracers share. Undefined if the application has a provider of another kind. */
export function currentSampler(): Sampler | undefined {
  return provider()['_tracerOptions']?.sampler;
}

function provider(): Provider {
  return (trace.getTracerProvider() as ProxyTracerProvider).getDelegate() as Provider;
}
