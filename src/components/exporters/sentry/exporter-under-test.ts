/** A sentry exporter in a test, and the spans that most tests send. */
import * as v from 'valibot';
import { expect } from 'vitest';
import type { Component, Consumer, Host, Signal } from '../../../engine/component.ts';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';
import { hostWith } from '../../../../tests/support/components/host-with.ts';
import { batchOfSpans, spanId, type SpanDraft } from '../../../../tests/support/otlp/otlp-spans.ts';
import type { Balance } from '../../../engine/account.ts';
import { sentryExporterConfig } from './config.ts';
import { sentryExporter } from './factory.ts';

export const root: SpanDraft = { spanId: spanId(1), name: 'A.2 fetch' };
export const child: SpanDraft = { spanId: spanId(2), parentSpanId: spanId(1), name: 'child' };

const FAST_RETRY = { initial_interval: '5ms', max_interval: '10ms', max_elapsed_time: '2s' };

type Counts = ReadonlyMap<string, number>;

export interface RunningExporter {
  readonly exporter: Component & Consumer;
  readonly lines: readonly Record<string, unknown>[];
  readonly balance: (of?: Signal) => Balance;
  readonly stop: () => Promise<void>;
  readonly counts: () => Promise<Counts>;
}

/** A running exporter, its log and its metrics. */
export async function startExporter(
  dsn: string,
  config: Record<string, unknown> = {},
  host: Host = hostWith(),
): Promise<RunningExporter> {
  const { settings, lines, balance, page } = componentSettings('exporter', 'sentry', 'traces', 'logs');
  const parsed = v.parse(sentryExporterConfig, {
    dsn,
    retry_on_failure: FAST_RETRY,
    trace_buffer: { grace_period: '10ms' },
    ...config,
  });
  const exporter = sentryExporter.create(settings, parsed);
  await exporter.start(host);
  const stop = async (): Promise<void> => {
    for (const signal of ['traces', 'logs'] as const) expect(balance(signal).difference).toBe(0);
    await exporter.shutdown(AbortSignal.timeout(30_000));
    for (const signal of ['traces', 'logs'] as const) {
      expect(balance(signal)).toMatchObject({ waiting: 0, difference: 0 });
    }
  };
  return { exporter, lines, balance, stop, counts: async (): Promise<Counts> => readCounts(await page()) };
}

/** The self-metrics: `siphon_sentry_*` by `category reason`, the rest by name. */
function readCounts(page: string): Counts {
  const samples = page.matchAll(/^(?<name>\w+)\{(?<labels>.*)\} (?<value>\d+)$/gm);
  return new Map(
    [...samples].map(({ groups = {} }) => {
      const { name = '', labels = '', value } = groups;
      const texts = [...labels.matchAll(/(?:category|reason)="(\w+)"/g)].map(([, text]) => text);
      return [texts.length > 0 ? texts.join(' ') : name, Number(value)];
    }),
  );
}

/** Sends batches through an exporter and shuts it down. */
export async function sendAll(
  sink: { readonly dsn: string },
  batches: readonly (readonly SpanDraft[])[],
  config = {},
): Promise<RunningExporter> {
  const running = await startExporter(sink.dsn, config);
  for (const spans of batches) await running.exporter.consume(batchOfSpans(spans));
  await running.stop();
  return running;
}

export async function spansSentAndFailed(counts: () => Promise<Counts>): Promise<(number | undefined)[]> {
  const counted = await counts();
  return [counted.get('otelcol_exporter_sent_spans'), counted.get('otelcol_exporter_send_failed_spans')];
}
