import * as v from 'valibot';
import type { Component, Consumer, TelemetryBatch } from '../../../../src/engine/component.ts';
import type { Signal } from '../../../../src/engine/component.ts';
import { requestMessages } from '../../../../src/engine/otlp/schema.ts';
import { messageToObject } from '../../../../src/engine/otlp/message-to-object.ts';
import { sqlqueryConfig } from '../../../../src/components/receivers/sqlquery/config.ts';
import { SqlqueryReceiver } from '../../../../src/components/receivers/sqlquery/receiver.ts';
import { hostWith } from '../../../support/components/host-with.ts';
import { ObservedReceiver } from '../../../support/components/observed-receiver.ts';

interface Options {
  readonly extensions?: Readonly<Record<string, Component>>;
  readonly signals?: readonly Signal[];
  /** Decides about each batch before it is taken. */
  readonly pipeline?: Consumer;
}

interface Point {
  readonly attributes?: readonly { readonly key: string; readonly value: { readonly string_value: string } }[];
  readonly as_int?: string;
  readonly as_double?: number;
  readonly flags?: number;
}

interface Metric {
  readonly name: string;
  readonly gauge?: { readonly data_points: readonly Point[] };
  readonly sum?: { readonly data_points: readonly Point[] };
}

interface LogRecord {
  readonly body: { readonly string_value: string };
}

/** A running receiver, what it handed over, its log, and its metrics about itself. */
export class ReceiverUnderTest extends ObservedReceiver {
  /** Requests as objects, in the order in which they came. */
  readonly requests: Record<string, unknown>[] = [];
  /** `name{key=value,…}`; a series that was retracted is `undefined`. */
  readonly series = new Map<string, number | undefined>();
  /** How often each series was handed over with a value. */
  readonly points = new Map<string, number>();
  readonly bodies: string[] = [];
  readonly #receiver: SqlqueryReceiver;

  static async start(config: Record<string, unknown>, options: Options = {}): Promise<ReceiverUnderTest> {
    const started = new ReceiverUnderTest(config, options);
    await started.#receiver.start(hostWith(options.extensions));
    return started;
  }

  private constructor(config: Record<string, unknown>, { signals = ['metrics', 'logs'], pipeline }: Options) {
    super('sqlquery', { signals, version: '1.2.3' });
    const defaults = { driver: 'postgres', collection_interval: '200ms', initial_delay: 0 };
    this.#receiver = new SqlqueryReceiver(this.settings, v.parse(sqlqueryConfig, { ...defaults, ...config }), {
      consume: async (batch) => {
        await pipeline?.consume(batch);
        this.#take(batch);
      },
    });
  }

  async shutdown(): Promise<void> {
    await this.#receiver.shutdown(AbortSignal.timeout(5000));
  }

  #take({ signal, chunks }: TelemetryBatch): void {
    for (const chunk of chunks) {
      const request = messageToObject(requestMessages[signal], chunk) as Record<string, unknown>;
      this.requests.push(request);
      for (const metric of itemsOf<Metric>(request, 'metrics')) this.#takeMetric(metric);
      for (const { body } of itemsOf<LogRecord>(request, 'log_records')) this.bodies.push(body.string_value);
    }
  }

  #takeMetric({ name, gauge, sum }: Metric): void {
    for (const { attributes = [], as_int, as_double, flags } of (gauge ?? sum)?.data_points ?? []) {
      const labels = attributes.map(({ key, value }) => `${key}=${value.string_value}`).toSorted();
      const key = `${name}{${labels.join(',')}}`;
      const value = flags === 1 ? undefined : Number(as_int ?? as_double);
      this.series.set(key, value);
      if (value !== undefined) this.points.set(key, (this.points.get(key) ?? 0) + 1);
    }
  }
}

function itemsOf<Item>(request: Record<string, unknown>, field: 'metrics' | 'log_records'): Item[] {
  const kind = field === 'metrics' ? 'metrics' : 'logs';
  const resources = (request[`resource_${kind}`] ?? []) as Record<string, Record<string, Item[]>[]>[];
  return resources.flatMap((resource) => (resource[`scope_${kind}`] ?? []).flatMap((scope) => scope[field] ?? []));
}
