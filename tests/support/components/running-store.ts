import * as v from 'valibot';
import { componentSettings } from './component-settings.ts';
import { waitFor } from '../wait-for.ts';
import { hostWith } from './host-with.ts';
import { WireWriter } from '../../../src/engine/otlp/wire-writer.ts';
import type { Component, Consumer, TelemetryBatch } from '../../../src/engine/component.ts';
import { telemetryStoreConfig } from '../../../src/components/exporters/telemetry-store/config.ts';
import { telemetryStoreExporter } from '../../../src/components/exporters/telemetry-store/factory.ts';

/** The answer to a query. The tests know its form. */
export interface Answered {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- each test compares with what it expects
  readonly body: any;
}

/** A running store, and its answers. */
export interface RunningStore extends AsyncDisposable {
  readonly store: Component & Consumer;
  readonly url: string;
  readonly ask: (pathAndQuery: string) => Promise<Answered>;
  /** The page of its own metrics. */
  readonly page: () => Promise<string>;
  readonly balance: ReturnType<typeof componentSettings>['balance'];
  /** Waits for a line of its log. */
  readonly hasLogged: (message: string) => Promise<object>;
}

export async function startStore(
  config: Readonly<Record<string, unknown>> = {},
  extensions: Readonly<Record<string, unknown>> = {},
): Promise<RunningStore> {
  const { settings, lines, page, balance } = componentSettings('exporter', 'telemetry_store');
  const parsed = v.parse(telemetryStoreConfig, { endpoint: '127.0.0.1:0', ...config });
  const store = telemetryStoreExporter.create(settings, parsed);
  await store.start(hostWith(extensions));
  const url = `http://${String(lines.find(({ msg }) => msg === 'Listening')?.['endpoint'])}`;
  const ask = async (pathAndQuery: string): Promise<Answered> => {
    const answer = await fetch(`${url}${pathAndQuery}`);
    return { status: answer.status, body: await answer.json() };
  };
  const hasLogged = async (message: string): Promise<object> => {
    await waitFor(() => lines.some(({ msg }) => msg === message), { what: `the line ${message}` });
    return lines.find(({ msg }) => msg === message) as object;
  };
  const stop = async (): Promise<void> => await store.shutdown(AbortSignal.timeout(1000));
  return { store, url, ask, page, balance, hasLogged, [Symbol.asyncDispose]: stop };
}

/** A histogram with one point that has this exemplar. */
export function batchOfExemplar(metric: string, traceId: string, spanId: string, value = 1.5): TelemetryBatch {
  const writer = new WireWriter();
  const inside = (fields: readonly number[], write: () => void): void => {
    const [field, ...rest] = fields;
    if (field === undefined) write();
    else writer.messageField(field, () => inside(rest, write));
  };
  inside([1, 2, 2], () => {
    inside([9, 1, 8], () => {
      writer.fixed64Field(2, BigInt(Date.now()) * 1_000_000n);
      writer.doubleField(3, value);
      writer.bytesField(4, Buffer.from(spanId, 'hex'));
      writer.bytesField(5, Buffer.from(traceId, 'hex'));
    });
    // The name may come after the points.
    writer.stringField(1, metric);
    writer.stringField(3, 's');
  });
  const chunk = writer.finish();
  return { signal: 'metrics', chunks: [chunk], itemCount: 1, sizeBytes: chunk.length };
}
