import * as v from 'valibot';
import { vi } from 'vitest';
import type { Component, Consumer } from '../../../engine/component.ts';
import { readSpans } from '../../../engine/otlp/span-reader.ts';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';
import { SinkExporter } from '../../../../tests/support/components/sink-exporter.ts';
import { hostWith } from '../../../../tests/support/components/host-with.ts';
import { tailSamplingConfig, type TailSamplingConfig } from './config.ts';
import { Decisions } from './decisions.ts';
import { tailSamplingProcessor } from './factory.ts';

type Instance = ReturnType<typeof instance>;

interface Sampling extends AsyncDisposable {
  readonly traces: Instance;
  readonly metrics: Instance;
  /** Lets time pass, and the processor decide. */
  pass(seconds: number): Promise<void>;
  /** The names of the spans that were passed on, sorted. */
  passed(): string[];
}

/** A processor with fake time: its instance for traces, and the one for metrics. */
export async function startSampling(written: object, ...policies: readonly object[]): Promise<Sampling> {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  const config = v.parse(tailSamplingConfig, {
    decision_wait: '10s',
    policies: policies.map((policy, i) => ({ name: `policy ${i}`, ...policy })),
    ...written,
  });
  const decisions = new Decisions(config);
  const traces = instance('traces', config, decisions);
  const metrics = instance('metrics', config, decisions);
  await traces.processor.start(hostWith({}));
  await metrics.processor.start(hostWith({}));
  return {
    traces,
    metrics,
    pass: async (seconds: number) => {
      await vi.advanceTimersByTimeAsync(seconds * 1000);
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    },
    passed: () =>
      traces.sink.batches
        .flatMap(({ chunks }) => [...readSpans(Buffer.concat(chunks))])
        .map(({ name }) => name)
        .toSorted(),
    [Symbol.asyncDispose]: async () => {
      await traces.processor.shutdown(AbortSignal.timeout(1000));
      await metrics.processor.shutdown(AbortSignal.timeout(1000));
      vi.useRealTimers();
    },
  };
}

function instance(signal: 'traces' | 'metrics', config: TailSamplingConfig, decisions: Decisions) {
  const observed = componentSettings('processor', 'tail_sampling', signal);
  const sink = new SinkExporter();
  const processor: Component & Consumer = tailSamplingProcessor.create(observed.settings, config, sink, decisions);
  return { ...observed, sink, processor };
}

/** A trace id that ends in this number. */
export function traceId(number: number): string {
  return number.toString(16).padStart(32, '0');
}
