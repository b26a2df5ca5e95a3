import * as v from 'valibot';
import type { TelemetryBatch } from '../../../engine/component.ts';
import { hostWith } from '../../../../tests/support/components/host-with.ts';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';
import { SinkExporter } from '../../../../tests/support/components/sink-exporter.ts';
import { messageToObject } from '../../../engine/otlp/message-to-object.ts';
import { spanMetricsConfig } from './config.ts';
import { spanMetricsConnector } from './factory.ts';

interface DecodedValue {
  readonly string_value?: string;
  readonly int_value?: string;
  readonly bool_value?: boolean;
}

interface DecodedPoint {
  readonly attributes?: readonly { readonly key: string; readonly value: DecodedValue }[];
  readonly as_int?: string;
  readonly count?: string;
  readonly sum?: number;
  readonly bucket_counts?: readonly string[];
  readonly exemplars?: readonly { readonly span_id: string; readonly as_double: number }[];
}

interface DecodedRequest {
  readonly resource_metrics: readonly {
    readonly scope_metrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly sum?: { readonly data_points?: readonly DecodedPoint[] };
        readonly histogram?: { readonly data_points?: readonly DecodedPoint[] };
      }[];
    }[];
  }[];
}

/** A point of the last flush. */
export interface Emitted {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly count: number;
  readonly sum: number | undefined;
  readonly buckets: readonly number[];
  readonly exemplars: readonly { readonly spanId: string; readonly value: number }[];
}

/** A connector whose flushes are the end of its life, unless it has a short interval. */
export class ConnectorUnderTest implements AsyncDisposable {
  readonly sink = new SinkExporter();
  readonly #observed = componentSettings('connector', 'span_metrics');
  readonly #connector;

  private constructor(config: object) {
    const parsed = v.parse(spanMetricsConfig, config);
    this.#connector = spanMetricsConnector.create(this.#observed.settings, parsed, this.sink);
  }

  static async start(config: object = {}): Promise<ConnectorUnderTest> {
    const started = new ConnectorUnderTest(config);
    await started.#connector.start(hostWith());
    return started;
  }

  async take(batch: TelemetryBatch): Promise<void> {
    await this.#connector.consume(batch);
  }

  /** Shuts the connector down, and returns what it has counted. */
  async end(): Promise<readonly Emitted[]> {
    await this.#connector.shutdown(AbortSignal.timeout(2000));
    const last = this.sink.batches.at(-1);
    return last === undefined ? [] : emittedIn(last);
  }

  /** The counters of the connector, without those that are 0. */
  async counts(): Promise<Record<string, number>> {
    const lines = (await this.#observed.page()).split('\n').filter((line) => line.startsWith('siphon_span_metrics_'));
    const counts = lines.map((line): [string, number] => [
      /reason="(\w+)"/.exec(line)?.[1] ?? 'overflow',
      Number(line.slice(line.lastIndexOf(' '))),
    ]);
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connector.shutdown(AbortSignal.timeout(2000));
  }
}

export function emittedIn({ chunks }: TelemetryBatch): Emitted[] {
  const decoded = messageToObject('ExportMetricsServiceRequest', Buffer.concat(chunks)) as unknown as DecodedRequest;
  const scopes = decoded.resource_metrics.flatMap(({ scope_metrics }) => scope_metrics);
  return scopes.flatMap(({ metrics }) =>
    metrics.flatMap(({ name, sum, histogram }) =>
      (sum?.data_points ?? histogram?.data_points ?? []).map((point) => ({
        metric: name,
        labels: Object.fromEntries((point.attributes ?? []).map(({ key, value }) => [key, textOf(value)])),
        count: Number(point.as_int ?? point.count),
        sum: point.sum,
        buckets: (point.bucket_counts ?? []).map(Number),
        exemplars: (point.exemplars ?? []).map(({ span_id, as_double }) => ({ spanId: span_id, value: as_double })),
      })),
    ),
  );
}

function textOf({ string_value, int_value, bool_value }: DecodedValue): string {
  return string_value ?? int_value ?? String(bool_value);
}
