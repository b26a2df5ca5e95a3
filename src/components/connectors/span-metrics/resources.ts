import { fieldTags } from '../../../engine/otlp/schema.ts';
import { WireReader } from '../../../engine/otlp/wire-reader.ts';
import type { SpanMetricsConfig } from './config.ts';
import { readAttributes, type Attributes } from './labels.ts';
import { ResourceMetrics } from './resource-metrics.ts';
import type { SeriesLimits } from './series.ts';

const RESOURCE = fieldTags('Resource');
const SERVICE_NAME = 'service.name';
/** Resources by their bytes that are remembered. */
const MAX_ALIASES = 10_000;
/** Longer ones are decoded each time. */
const MAX_ALIAS_BYTES = 4096;

/** Why spans of a resource are not counted. */
type Refusal = 'no_service_name' | 'max_resources';

/** The resources whose spans are counted. */
export class Resources {
  readonly #config: SpanMetricsConfig;
  readonly #bucketCount: number;
  readonly #limits: SeriesLimits;
  /** The least recently used first. */
  readonly #byKey = new Map<string, ResourceMetrics>();
  /** The keys of resources by their bytes. */
  readonly #aliases = new Map<string, string>();
  #emittedMs = 0;

  constructor(config: SpanMetricsConfig, bucketCount: number) {
    this.#config = config;
    this.#bucketCount = bucketCount;
    this.#limits = { perTable: config.aggregation_cardinality_limit, budget: { left: config.max_series } };
  }

  /** @param encoded the messages `Resource` of a block: several are one. */
  of(encoded: readonly Uint8Array[], nowMs: number): ResourceMetrics | Refusal {
    const bytes = encoded
      .map((part) => Buffer.from(part.buffer, part.byteOffset, part.length).toString('latin1'))
      .join('\n');
    const alias = this.#aliases.get(bytes);
    const known = alias === undefined ? undefined : this.#byKey.get(alias);
    if (known !== undefined) return this.#used(alias as string, known, nowMs);
    const attributes = attributesOf(encoded);
    const serviceName = attributes.get(SERVICE_NAME)?.text;
    if (serviceName === undefined) return 'no_service_name';
    const key = this.#keyOf(attributes);
    const found = this.#byKey.get(key) ?? this.#add(key, { encoded, attributes, serviceName }, nowMs);
    if (typeof found === 'string') return found;
    if (this.#aliases.size >= MAX_ALIASES) this.#aliases.clear();
    if (bytes.length <= MAX_ALIAS_BYTES) this.#aliases.set(bytes, key);
    return this.#used(key, found, nowMs);
  }

  all(): readonly ResourceMetrics[] {
    return [...this.#byKey.values()];
  }

  /** Forgets the keys of spans, which use memory. */
  forgetKeys(): void {
    for (const { known } of this.#byKey.values()) known.clear();
  }

  /** To be called when everything was emitted. Forgets what has had no span for too long. */
  emitted(nowMs: number): void {
    this.#emittedMs = nowMs;
    const { metrics_expiration, series_expiration } = this.#config;
    for (const [key, resource] of this.#byKey) {
      if (metrics_expiration > 0 && nowMs - resource.seenMs >= metrics_expiration) this.#remove(key, resource);
      else if (series_expiration > 0) resource.expire(nowMs - series_expiration);
    }
  }

  #used(key: string, resource: ResourceMetrics, nowMs: number): ResourceMetrics {
    resource.seenMs = nowMs;
    this.#byKey.delete(key);
    this.#byKey.set(key, resource);
    return resource;
  }

  /** If there is no room, the least recently used one goes, unless it has counts that were not emitted. */
  #add(
    key: string,
    identity: Pick<ResourceMetrics, 'encoded' | 'attributes' | 'serviceName'>,
    nowMs: number,
  ): ResourceMetrics | Refusal {
    if (this.#byKey.size >= this.#config.resource_metrics_cache_size) {
      const [oldestKey, oldest] = this.#byKey.entries().next().value as [string, ResourceMetrics];
      if (oldest.seenMs >= this.#emittedMs) return 'max_resources';
      this.#remove(oldestKey, oldest);
    }
    const encoded = identity.encoded.map((part) => new Uint8Array(part));
    const resource = new ResourceMetrics({ ...identity, encoded }, this.#limits, {
      bucketCount: this.#bucketCount,
      nowMs,
    });
    this.#byKey.set(key, resource);
    return resource;
  }

  #remove(key: string, resource: ResourceMetrics): void {
    resource.expire(Infinity);
    this.#byKey.delete(key);
  }

  #keyOf(attributes: Attributes): string {
    const { resource_metrics_key_attributes: chosen } = this.#config;
    const used = [...attributes].filter(([key]) => chosen.length === 0 || chosen.includes(key));
    const sorted = used.toSorted(([a], [b]) => (a < b ? -1 : 1));
    return JSON.stringify(sorted.map(([key, { text }]) => [key, text]));
  }
}

function attributesOf(encoded: readonly Uint8Array[]): Attributes {
  const messages: Uint8Array[] = [];
  for (const part of encoded) {
    for (const reader = new WireReader(part); !reader.done;) {
      const tag = reader.tag();
      if (tag === RESOURCE.attributes) messages.push(reader.bytes());
      else reader.skip(tag);
    }
  }
  return readAttributes(messages);
}
