import * as v from 'valibot';
import type { Component, Consumer, TelemetryBatch } from '../../../engine/component.ts';
import { encodeMetricsRequest, type MetricData } from '../../../engine/otlp/metrics-writer.ts';
import { toBatch } from '../../../../tests/support/components/batches.ts';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';
import { batchOfSpans, type SpanDraft } from '../../../../tests/support/otlp/otlp-spans.ts';
import { messageToObject } from '../../../engine/otlp/message-to-object.ts';
import { exemplarsConfig } from './config.ts';
import { exemplarsProcessor } from './factory.ts';

/** An exemplar that the processor added, and its series. */
export interface AddedExemplar {
  readonly metric: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly value: number;
  readonly timeUnixNano: bigint;
  readonly traceId: string;
  readonly spanId: string;
  readonly isDerived: boolean;
}

/** The two instances of one processor: in a pipeline of traces and in one of metrics. */
export class ProcessorUnderTest {
  /** The batch that the pipeline of metrics passed on last. */
  lastPoints: TelemetryBatch | undefined;
  readonly #observed = componentSettings('processor', 'exemplars');
  readonly #traces: Component & Consumer;
  readonly #metrics: Component & Consumer;

  constructor(written: object = {}) {
    const { settings } = this.#observed;
    const config = v.parse(exemplarsConfig, written);
    const shared = exemplarsProcessor.share?.(settings, config);
    this.#traces = exemplarsProcessor.create(settings, config, { consume: async () => undefined }, shared);
    this.#metrics = exemplarsProcessor.create(
      settings,
      config,
      { consume: async (batch) => void (this.lastPoints = batch) },
      shared,
    );
  }

  async takeSpans(spans: readonly SpanDraft[], service = 'coffee'): Promise<void> {
    await this.#traces.consume(batchOfSpans(spans, service));
  }

  async takeBatch(batch: TelemetryBatch): Promise<void> {
    await (batch.signal === 'traces' ? this.#traces : this.#metrics).consume(batch);
  }

  /** Returns the exemplars that were added to the points of one export. */
  async takePoints(metrics: readonly MetricData[], timeUnixMs: number, service = 'coffee'): Promise<AddedExemplar[]> {
    const sent = metricsBatch(metrics, timeUnixMs, service);
    await this.#metrics.consume(sent);
    return this.lastPoints === undefined || this.lastPoints === sent ? [] : exemplarsIn(this.lastPoints);
  }

  /** The counters of the processor, without those that are 0. */
  async counts(): Promise<Record<string, number>> {
    const lines = (await this.#observed.page()).split('\n').filter((line) => line.startsWith('siphon_exemplars_'));
    const counts = lines.map((line): [string, number] => {
      const label = /(?:outcome|reason)="(\w+)"/.exec(line)?.[1] ?? '';
      return [label, Number(line.slice(line.lastIndexOf(' ')))];
    });
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }
}

/** The resource is that of `batchOfSpans`. */
export function metricsBatch(metrics: readonly MetricData[], timeUnixMs: number, service = 'coffee'): TelemetryBatch {
  const resource = { 'service.name': service, 'telemetry.sdk.language': 'nodejs' };
  const request = encodeMetricsRequest({ resource, scope: { name: 'test', version: '1' }, timeUnixMs, metrics });
  const points = metrics.reduce((sum, metric) => sum + metric.points.length, 0);
  return toBatch('metrics', request, points);
}

interface DecodedExemplar {
  readonly time_unix_nano: string;
  readonly as_double: number;
  readonly trace_id: string;
  readonly span_id: string;
  readonly filtered_attributes: readonly { readonly key: string; readonly value: { readonly bool_value?: boolean } }[];
}

interface DecodedPoints {
  readonly data_points: readonly {
    readonly attributes?: readonly { readonly key: string; readonly value: { readonly string_value: string } }[];
    readonly exemplars?: readonly DecodedExemplar[];
  }[];
}

interface DecodedMetric {
  readonly name: string;
  readonly histogram?: DecodedPoints;
  readonly sum?: DecodedPoints;
}

interface DecodedRequest {
  readonly resource_metrics: readonly {
    readonly scope_metrics: readonly { readonly metrics: readonly DecodedMetric[] }[];
  }[];
}

function exemplarsIn({ chunks }: TelemetryBatch): AddedExemplar[] {
  const decoded = messageToObject('ExportMetricsServiceRequest', Buffer.concat(chunks)) as unknown as DecodedRequest;
  const scopes = decoded.resource_metrics.flatMap(({ scope_metrics }) => scope_metrics);
  return scopes.flatMap(({ metrics }) => metrics.flatMap(exemplarsOf));
}

function exemplarsOf({ name, histogram, sum }: DecodedMetric): AddedExemplar[] {
  const points = histogram?.data_points ?? sum?.data_points ?? [];
  return points.flatMap(({ attributes = [], exemplars = [] }) =>
    exemplars.map((exemplar) => ({
      metric: name,
      attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, value.string_value])),
      value: exemplar.as_double,
      timeUnixNano: BigInt(exemplar.time_unix_nano),
      traceId: exemplar.trace_id,
      spanId: exemplar.span_id,
      isDerived: exemplar.filtered_attributes.some(({ key, value }) => key === 'derived' && value.bool_value === true),
    })),
  );
}
