import type { Logger } from 'pino';
import type { GenericSchema, GenericSchemaAsync } from 'valibot';
import type { Instruments } from '../metrics/instruments.ts';
import type { transports } from '../metrics/self.ts';
import type { DiagnosisSettings, Finding } from './diagnosis.ts';
import type { ExtensionRole } from './extension-reference.ts';
import type { DeliverySettings } from './delivery/delivery-settings.ts';

export type Signal = 'traces' | 'metrics' | 'logs';

/**
 * Telemetry in the form in which it travelled. Immutable: a batch is shared by every pipeline that it
 * reaches, so nobody may write into a chunk.
 *
 * Each chunk is by itself a valid `Export<Signal>ServiceRequest`: requests are cut only between their
 * top-level fields. Concatenated messages of one type are one message, so all chunks together are one too.
 * Behind the receiver, the framing of the bytes is checked and may be trusted.
 */
export interface TelemetryBatch {
  readonly signal: Signal;
  readonly chunks: readonly Uint8Array[];
  /** Spans, metric data points or log records. */
  readonly itemCount: number;
  /** The sum of the chunks' lengths. */
  readonly sizeBytes: number;
}

export interface Consumer {
  /**
   * Resolves when the batch is accepted: whoever called may forget it.
   *
   * @throws PermanentError if sending the same batch again cannot help.
   * @throws RetryableError if it can, after `retryAfterMs` where that is given.
   */
  consume(batch: TelemetryBatch): Promise<void>;
}

export interface Component {
  /** Returns quickly; long work goes on in the background and ends with shutdown. A rejection stops the start of the whole collector. */
  start(host: Host): Promise<void>;
  /** Safe before start and when called twice. Stops taking, flushes, releases everything, and gives up when the deadline aborts. */
  shutdown(deadline: AbortSignal): Promise<void>;
}

/** What a running component may ask of the collector that hosts it. */
export interface Host {
  /** The running extension with this id (`type` or `type/name`), if `service.extensions` lists it. */
  extension(id: string): Component | undefined;
  /** `ok` from the moment every component has started until shutdown begins. */
  status(): HostStatus;
}

export type HostStatus = 'starting' | 'ok' | 'stopping';

/** What code, not the user, decides about a component. */
export interface ComponentSettings {
  /** The id in the configuration: `type` or `type/name`. */
  readonly id: string;
  /** The signals of the pipelines that this instance stands in. Empty for extensions. */
  readonly signals: ReadonlySet<Signal>;
  /** Carries the component's kind and id. Constant sentences, values in fields, the error under `err`. */
  readonly logger: Logger;
  /**
   * Makes the instruments of the component from their descriptions in `metrics/self.ts`. The engine itself counts which
   * items were accepted, refused, sent and lost.
   */
  readonly metrics: ComponentMetrics;
  /** siphon's own version. */
  readonly version: string;
}

/** Instruments whose series carry the kind and id of the component as a label, for example `exporter="sentry"`. */
export type ComponentMetrics = Instruments<ComponentKind>;

export type Stability = 'development' | 'alpha' | 'beta' | 'stable';

/** Strict (unknown keys are problems), and with a default for every key that has one: `{}` or an absent value must be parsed too. */
export type ConfigSchema<Config> = GenericSchema<unknown, Config> | GenericSchemaAsync<unknown, Config>;

interface FactoryOf<Kind extends string, Config> {
  readonly kind: Kind;
  /** The id in otel-collector.yaml, for example `otlp_http`. */
  readonly type: string;
  /** Other spellings that the stock Collector takes, for example `otlphttp`. */
  readonly aliases?: readonly string[];
  /** The signals that pipelines may use the component for. Empty for extensions. */
  readonly signals: readonly Signal[];
  readonly stability: Stability;
  readonly config: ConfigSchema<Config>;
  /**
   * Looks at what the component will need, without starting it and without changing anything, for `siphon doctor`. Ends
   * by itself within bounds; what cannot be looked at is a finding too, not an error.
   */
  diagnose?(settings: DiagnosisSettings, config: Config): AsyncIterable<Finding>;
}

export interface ReceiverFactory<Config = unknown> extends FactoryOf<'receiver', Config> {
  /** One instance per id, for all its signals. */
  create(settings: ComponentSettings, config: Config, next: ConsumerOf): Component;
}

/**
 * The pipelines behind a receiver, as seen from one of its transports (`http`, `grpc`, …; the label
 * `transport` of `otelcol_receiver_accepted_*`). Batches go to the pipelines of their signal.
 */
export type ConsumerOf = (transport: Transport) => Consumer;

export type Transport = (typeof transports)[number];

export interface ProcessorFactory<Config = unknown> extends FactoryOf<'processor', Config> {
  /** One instance per id and pipeline. */
  create(settings: ComponentSettings, config: Config, next: Consumer): Component & Consumer;
}

export interface ConnectorFactory<Config = unknown> extends FactoryOf<'connector', Config> {
  /** The signals that it emits; `signals` are those that it takes. */
  readonly emits: readonly Signal[];
  /** One instance per id. */
  create(settings: ComponentSettings, config: Config, next: Consumer): Component & Consumer;
}

export interface ExporterFactory<Config = unknown> extends FactoryOf<'exporter', Config> {
  /** Queue and retry around `consume`, done by the engine. Without it, `consume` is called directly. */
  delivery?(config: Config): DeliverySettings;
  /** One instance per id, for all its signals. `consume` makes one attempt. */
  create(settings: ComponentSettings, config: Config): Component & Consumer;
}

export interface ExtensionFactory<Config = unknown> extends FactoryOf<'extension', Config> {
  /** What other components may use it as: what it creates is an `Authenticator` or a `Storage` too. */
  readonly role?: ExtensionRole;
  create(settings: ComponentSettings, config: Config): Component;
}

export type Factory<Config = unknown> =
  | ReceiverFactory<Config>
  | ProcessorFactory<Config>
  | ConnectorFactory<Config>
  | ExporterFactory<Config>
  | ExtensionFactory<Config>;

export const componentKinds = ['receiver', 'processor', 'connector', 'exporter', 'extension'] as const;

export type ComponentKind = (typeof componentKinds)[number];
