import * as v from 'valibot';
import type { Component, Consumer, Host, TelemetryBatch } from '../../../../src/engine/component.ts';
import { readKeyValue, type AnyValue } from '../../../../src/engine/otlp/any-value.ts';
import { WireReader } from '../../../../src/engine/otlp/wire-reader.ts';
import { dbPollerConfig, type DbPollerConfig } from '../../../../src/components/receivers/db-poller/config.ts';
import { DbPoller } from '../../../../src/components/receivers/db-poller/receiver.ts';
import { packs as builtInPacks } from '../../../../src/packs/index.ts';
import { hostWith } from '../../../support/components/host-with.ts';
import { ObservedReceiver } from '../../../support/components/observed-receiver.ts';
import { waitFor } from '../../../support/wait-for.ts';

const configSchema = dbPollerConfig(builtInPacks);

/** A running poller, what it published last for each series, its log, and its metrics about itself. */
export class PollerUnderTest extends ObservedReceiver {
  /** `name{key=value,…}` with keys in order; a series that was retracted is `undefined`. */
  readonly series = new Map<string, number | undefined>();
  /** The values of `service.instance.id` that it has used. */
  readonly instances = new Set<string>();
  readonly #byInstance = new Map<string, Map<string, number | undefined>>();
  readonly #host: Host;
  readonly #poller: DbPoller;

  private constructor(config: DbPollerConfig, pipeline: Consumer | undefined, extensions: Record<string, Component>) {
    super('db_poller', { signals: ['metrics'] });
    this.#host = hostWith(extensions);
    this.#poller = new DbPoller(this.settings, config, {
      consume: async (batch) => {
        await pipeline?.consume(batch);
        this.#take(batch);
      },
    });
  }

  /** @param pipeline decides about each batch before it is taken. */
  static async start(
    config: Record<string, unknown>,
    pipeline?: Consumer,
    extensions: Record<string, Component> = {},
  ): Promise<PollerUnderTest> {
    const keys = { collection_interval: '200ms', initial_delay: 0, ...config };
    const started = new PollerUnderTest(await v.parseAsync(configSchema, keys), pipeline, extensions);
    await started.#poller.start(started.#host);
    return started;
  }

  /** The series of one `service.instance.id`. */
  seriesOf(instance: string): ReadonlyMap<string, number | undefined> {
    return this.#byInstance.get(instance) ?? new Map();
  }

  get logText(): string {
    return JSON.stringify(this.log);
  }

  /** Resolves when everything that comes from now on will be counted. */
  async hasBegunToCount(): Promise<void> {
    for (const name of ['runs', 'artifacts', 'prices', 'coffees_created', 'variants_created']) {
      const succeeded = `query_duration_seconds_count{query="scrape_pipeline.${name}"}`;
      await waitFor(async () => (await this.own(succeeded)) !== undefined, { what: `the baseline of ${name}` });
    }
  }

  /** Polls that failed for this reason, of all queries. */
  async failures(reason: string): Promise<number> {
    const ofReason = (await this.telemetryPage()).filter(
      (text) => text.startsWith('siphon_db_poller_errors{') && text.includes(`"${reason}"`),
    );
    return ofReason.reduce((sum, line) => sum + Number(line.slice(line.indexOf('} ') + 2).split(' ', 1)[0]), 0);
  }

  async shutdown(deadline = AbortSignal.timeout(5000)): Promise<void> {
    await this.#poller.shutdown(deadline);
  }

  #take(batch: TelemetryBatch): void {
    for (const chunk of batch.chunks) {
      const numbers = readNumbers(chunk);
      for (const [key, value] of numbers) this.series.set(key, value);
      for (const instance of readInstances(chunk)) {
        this.instances.add(instance);
        this.#byInstance.set(instance, new Map([...this.seriesOf(instance), ...numbers]));
      }
    }
  }
}

/** Reads what `encodeMetricsRequest` writes, field by field. */
export function readNumbers(bytes: Uint8Array): Map<string, number | undefined> {
  const found = new Map<string, number | undefined>();
  for (const resource of children(new WireReader(bytes), 1)) {
    for (const scope of children(resource, 2)) {
      for (const metric of children(scope, 2)) readMetric(metric, found);
    }
  }
  return found;
}

function readInstances(bytes: Uint8Array): string[] {
  const resources = [...children(new WireReader(bytes), 1)].flatMap((one) => [...children(one, 1)]);
  return resources.map((resource) => {
    const attributes = new Map<string, AnyValue>();
    for (const pair of children(resource, 1)) readKeyValue(pair, attributes);
    return attributes.get('service.instance.id') as string;
  });
}

function readMetric(metric: WireReader, found: Map<string, number | undefined>): void {
  let name = '';
  while (!metric.done) {
    const tag = metric.tag();
    if (tag >> 3 === 1) name = metric.string();
    else if (tag >> 3 === 5 || tag >> 3 === 7)
      for (const point of children(metric.message(), 1)) readPoint(name, point, found);
    else if (tag >> 3 === 9) for (const point of children(metric.message(), 1)) readDistribution(name, point, found);
    else metric.skip(tag);
  }
}

/** Reads the count and the sum of a histogram. */
function readDistribution(name: string, point: WireReader, found: Map<string, number | undefined>): void {
  const attributes = new Map<string, AnyValue>();
  let count: number | undefined;
  let sum: number | undefined;
  let flags = 0;
  while (!point.done) {
    const tag = point.tag();
    if (tag >> 3 === 9) readKeyValue(point.message(), attributes);
    else if (tag >> 3 === 4) count = Number(point.fixed64());
    else if (tag >> 3 === 5) sum = point.double();
    else if (tag >> 3 === 10) flags = point.varint();
    else point.skip(tag);
  }
  found.set(keyOf(`${name}_count`, attributes), flags === 1 ? undefined : count);
  found.set(keyOf(`${name}_sum`, attributes), flags === 1 ? undefined : sum);
}

function keyOf(name: string, attributes: ReadonlyMap<string, AnyValue>): string {
  const labels = [...attributes].map(([key, text]) => `${key}=${text as string}`).toSorted();
  return `${name}{${labels.join(',')}}`;
}

function readPoint(name: string, point: WireReader, found: Map<string, number | undefined>): void {
  const attributes = new Map<string, AnyValue>();
  let value: number | undefined;
  let flags = 0;
  while (!point.done) {
    const tag = point.tag();
    if (tag >> 3 === 7) readKeyValue(point.message(), attributes);
    else if (tag >> 3 === 4) value = point.double();
    else if (tag >> 3 === 6) value = Number(point.fixed64());
    else if (tag >> 3 === 8) flags = point.varint();
    else point.skip(tag);
  }
  found.set(keyOf(name, attributes), flags === 1 ? undefined : value);
}

function* children(reader: WireReader, field: number): Generator<WireReader> {
  while (!reader.done) {
    const tag = reader.tag();
    if (tag >> 3 === field) yield reader.message();
    else reader.skip(tag);
  }
}
