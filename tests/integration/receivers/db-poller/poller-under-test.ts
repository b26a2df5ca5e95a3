import { metrics } from '@opentelemetry/api';
import pino from 'pino';
import * as v from 'valibot';
import type { TelemetryBatch } from '../../../../src/collector/component.ts';
import { readKeyValue, type AnyValue } from '../../../../src/collector/otlp/any-value.ts';
import { WireReader } from '../../../../src/collector/otlp/wire-reader.ts';
import { configSchema } from '../../../../src/receivers/db-poller/config.ts';
import { DbPoller } from '../../../../src/receivers/db-poller/receiver.ts';

/** A running poller, what it published last for each series, and its log. */
export class PollerUnderTest implements AsyncDisposable {
  /** `name{key=value,…}` with keys in order; a series that was retracted is `undefined`. */
  readonly series = new Map<string, number | undefined>();
  readonly log: Record<string, unknown>[] = [];
  readonly #poller: DbPoller;

  constructor(config: Record<string, unknown>) {
    const logger = pino(
      { level: 'debug' },
      { write: (line: string) => this.log.push(JSON.parse(line) as Record<string, unknown>) },
    );
    const settings = {
      id: 'db_poller',
      signals: new Set(['metrics'] as const),
      logger,
      meter: metrics.getMeter('test'),
      version: '0',
    };
    const parsed = v.parse(configSchema, { collection_interval: '200ms', initial_delay: 0, ...config });
    this.#poller = new DbPoller(settings, parsed, { consume: (batch) => Promise.resolve(this.#take(batch)) });
  }

  static async start(config: Record<string, unknown>): Promise<PollerUnderTest> {
    const started = new PollerUnderTest(config);
    await started.#poller.start();
    return started;
  }

  get logText(): string {
    return JSON.stringify(this.log);
  }

  said(sentence: string): number {
    return this.log.filter(({ msg }) => msg === sentence).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#poller.shutdown(AbortSignal.timeout(5000));
  }

  #take(batch: TelemetryBatch): void {
    for (const chunk of batch.chunks) for (const [key, value] of readGauges(chunk)) this.series.set(key, value);
  }
}

/** Reads what `encodeMetricsRequest` writes, field by field. */
export function readGauges(bytes: Uint8Array): Map<string, number | undefined> {
  const found = new Map<string, number | undefined>();
  for (const resource of children(new WireReader(bytes), 1)) {
    for (const scope of children(resource, 2)) {
      for (const metric of children(scope, 2)) readMetric(metric, found);
    }
  }
  return found;
}

function readMetric(metric: WireReader, found: Map<string, number | undefined>): void {
  let name = '';
  while (!metric.done) {
    const tag = metric.tag();
    if (tag >> 3 === 1) name = metric.string();
    else if (tag >> 3 === 5) for (const point of children(metric.message(), 1)) readPoint(name, point, found);
    else metric.skip(tag);
  }
}

function readPoint(name: string, point: WireReader, found: Map<string, number | undefined>): void {
  const attributes = new Map<string, AnyValue>();
  let value: number | undefined;
  let flags = 0;
  while (!point.done) {
    const tag = point.tag();
    if (tag >> 3 === 7) readKeyValue(point.message(), attributes);
    else if (tag >> 3 === 4) value = point.double();
    else if (tag >> 3 === 8) flags = point.varint();
    else point.skip(tag);
  }
  const labels = [...attributes].map(([key, text]) => `${key}=${text as string}`).toSorted();
  found.set(`${name}{${labels.join(',')}}`, flags === 1 ? undefined : value);
}

function* children(reader: WireReader, field: number): Generator<WireReader> {
  while (!reader.done) {
    const tag = reader.tag();
    if (tag >> 3 === field) yield reader.message();
    else reader.skip(tag);
  }
}
