import { createNoopMeter, type Attributes, type Meter } from '@opentelemetry/api';
import { pino } from 'pino';
import * as v from 'valibot';
import { componentKinds, type Component, type ReceiverFactory } from '../../../src/engine/component.ts';
import { ComponentLedger } from '../../../src/engine/account.ts';
import { Instruments } from '../../../src/metrics/instruments.ts';
import { messageToObject } from '../../../src/engine/otlp/message-to-object.ts';
import type { DbPollerConfig } from '../../../src/components/receivers/db-poller/config.ts';
import { dbPollerReceiver } from '../../../src/components/receivers/db-poller/factory.ts';
import { packs as builtInPacks } from '../../../src/packs/index.ts';
import { hostWith } from '../../support/components/host-with.ts';

/** A poll of one query that succeeded. */
export interface ObservedPoll {
  readonly query: string;
  readonly durationMs: number;
}

interface SumsRequest {
  readonly resource_metrics?: readonly {
    readonly scope_metrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly sum?: { readonly data_points: readonly { as_double?: number; as_int?: number | string }[] };
      }[];
    }[];
  }[];
}

/** Runs the receiver in this process, which exposes each duration and not only its histogram bucket. */
export class ObservedPoller implements AsyncDisposable {
  readonly polls: ObservedPoll[] = [];
  /** Failed polls by query and reason. */
  readonly failures = new Map<string, number>();
  readonly #totals = new Map<string, number>();
  readonly #receiver: Component;

  /** @param config of the receiver, as in a configuration file. */
  static async start(config: Readonly<Record<string, unknown>>): Promise<ObservedPoller> {
    const receiver = dbPollerReceiver(builtInPacks);
    const parsed = await v.parseAsync(receiver.config, { initial_delay: 0, ...config });
    const poller = new ObservedPoller(receiver, parsed);
    await poller.#receiver.start(hostWith());
    return poller;
  }

  private constructor(factory: ReceiverFactory<DbPollerConfig>, config: DbPollerConfig) {
    const settings = {
      id: 'db_poller',
      signals: new Set(['metrics'] as const),
      logger: pino({ level: 'silent' }),
      metrics: new Instruments(this.#meter(), componentKinds),
      ledger: new ComponentLedger(),
      version: '0',
    };
    this.#receiver = factory.create(settings, config, () => ({
      consume: async ({ chunks }) => {
        for (const chunk of chunks) this.#take(messageToObject('ExportMetricsServiceRequest', chunk));
      },
    }));
  }

  /** Adds all series of a sum, by its OpenTelemetry name, as last published; undefined before the first publication. */
  total(metric: string): number | undefined {
    return this.#totals.get(metric);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#receiver.shutdown(AbortSignal.timeout(5000));
  }

  #take(request: SumsRequest): void {
    for (const { name, sum } of (request.resource_metrics ?? [])
      .flatMap((resource) => resource.scope_metrics)
      .flatMap((scope) => scope.metrics)) {
      if (sum === undefined) continue;
      const values = sum.data_points.map((point) => Number(point.as_double ?? point.as_int ?? 0));
      this.#totals.set(
        name,
        values.reduce((total, value) => total + value, 0),
      );
    }
  }

  #meter(): Meter {
    const observed: Partial<Meter> = {
      createHistogram: (name) => ({
        record: (value, attributes) => {
          if (name === 'siphon_db_poller_query_duration_seconds')
            this.polls.push({ query: queryOf(attributes), durationMs: value * 1000 });
        },
      }),
      createCounter: (name) => ({
        add: (value, attributes) => {
          if (name !== 'siphon_db_poller_errors' || value === 0) return;
          const key = `${queryOf(attributes)} ${String(attributes?.['reason'])}`;
          this.failures.set(key, (this.failures.get(key) ?? 0) + value);
        },
      }),
    };
    return Object.assign(createNoopMeter(), observed);
  }
}

function queryOf(attributes: Attributes | undefined): string {
  return String(attributes?.['query']);
}
