import type { Logger } from 'pino';
import type { GenericSchema, GenericSchemaAsync } from 'valibot';
import type { Instruments } from '../metrics/instruments.ts';
import type { transports } from '../metrics/self.ts';
import type { Authenticator } from './authenticator.ts';
import type { Storage } from './storage.ts';

export type Signal = 'traces' | 'metrics' | 'logs';

/**
 * Telemetry as the bytes in which it arrived. Immutable: several pipelines share a batch, so a component never writes to
 * a chunk.
 *
 * Each chunk is a valid `Export<Signal>ServiceRequest`: requests are cut only between their top-level fields. Because
 * concatenated messages of one type are one message, all chunks together are a valid request too. Receivers check the
 * framing of the bytes, so later components may trust it.
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
   * Resolves when the batch is accepted: the caller may forget it. Until then the caller waits, which is the only form
   * of backpressure.
   *
   * @throws PermanentError if it is useless to send the same batch again.
   * @throws RetryableError if the same batch may be accepted later, after `retryAfterMs` if given.
   */
  consume(batch: TelemetryBatch): Promise<void>;
}

/**
 * A receiver, processor, connector, exporter or extension. Its life has four phases:
 *
 * 1. **Created.** The constructor only stores what it gets, and creates metrics. It opens no file or socket, starts no
 *    timer, and does not call `next`. `siphon validate` and `siphon doctor` never create a component.
 * 2. **Starting.** `start` opens what the component needs. Extensions start first, then exporters, and each component
 *    after all that it feeds: from its own `start` on, a component may use extensions and call `next`.
 * 3. **Running.** `consume` is called between the end of `start` and `shutdown`, also concurrently.
 * 4. **Shut down.** Receivers stop first, and each component before those that it feeds: `shutdown` may still call
 *    `next`, and `consume` is not called any more. When it resolves, the component has no timer, socket or file open. A
 *    component does not start again.
 *
 * A component may be shut down in any phase: before its start, after a failed start, and twice.
 */
export interface Component {
  /** Returns soon; long work continues in the background. @throws Error to stop the start of the whole collector. */
  start(host: Host): Promise<void>;
  /** Accepts nothing more, sends what it holds, releases everything. Gives up what is left when the deadline aborts. */
  shutdown(deadline: AbortSignal): Promise<void>;
}

/** The collector, as a running component sees it. */
export interface Host {
  /**
   * The running extension that a configuration refers to.
   *
   * @throws Error if it does not run or has another role. The loader has checked both.
   */
  extension<Role extends ExtensionRole>(reference: { readonly id: string; readonly role: Role }): ExtensionRoles[Role];
  /** `ok` from the moment every component has started until shutdown begins. */
  status(): HostStatus;
}

export type HostStatus = 'starting' | 'ok' | 'stopping';

/** The interfaces that extensions implement for other components, by role. */
export interface ExtensionRoles {
  authenticator: Authenticator;
  storage: Storage;
}

export type ExtensionRole = keyof ExtensionRoles;

/** Everything that a component gets from the engine. Its configuration comes from the user. */
export interface ComponentSettings {
  /** The id in the configuration: `type` or `type/name`. */
  readonly id: string;
  /** The signals of the pipelines that use this instance. Empty for extensions. */
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

/** Strict: unknown keys are problems. Accepts an absent value and `{}` if no key is required. */
export type ConfigSchema<Config> = GenericSchema<unknown, Config> | GenericSchemaAsync<unknown, Config>;

interface FactoryOf<Kind extends string, Config> {
  readonly kind: Kind;
  /** The id in otel-collector.yaml, for example `otlp_http`. */
  readonly type: string;
  /** Other spellings that the stock Collector accepts, for example `otlphttp`. */
  readonly aliases?: readonly string[];
  /** The signals that pipelines may use the component for. Empty for extensions. */
  readonly signals: readonly Signal[];
  readonly stability: Stability;
  readonly config: ConfigSchema<Config>;
  /**
   * Checks what the component will need, for `siphon doctor`: without starting it and without changing anything. Ends
   * within a bounded time. A failed check is a finding, not an error.
   */
  diagnose?(settings: DiagnosisSettings, config: Config): AsyncIterable<Finding>;
}

export interface ReceiverFactory<Config = unknown> extends FactoryOf<'receiver', Config> {
  /** One instance per id, for all its signals. */
  create(settings: ComponentSettings, config: Config, next: ConsumerFor): Component;
}

/**
 * The pipelines behind a receiver, for one of its transports (`http`, `grpc`, …; the label `transport` of
 * `otelcol_receiver_accepted_*`). Each batch goes to the pipelines of its signal.
 */
export type ConsumerFor = (transport: Transport) => Consumer;

export type Transport = (typeof transports)[number];

export interface ProcessorFactory<Config = unknown> extends FactoryOf<'processor', Config> {
  /** One instance per id and pipeline. */
  create(settings: ComponentSettings, config: Config, next: Consumer): Component & Consumer;
}

export interface ConnectorFactory<Config = unknown> extends FactoryOf<'connector', Config> {
  /** The signals that it emits. `signals` are those that it accepts. */
  readonly emits: readonly Signal[];
  /** One instance per id. */
  create(settings: ComponentSettings, config: Config, next: Consumer): Component & Consumer;
}

export interface ExporterFactory<Config = unknown> extends FactoryOf<'exporter', Config> {
  /**
   * The queue and the retry that the engine puts around `consume`; `{}` for neither. The engine counts what is sent and
   * what fails. Undefined if the exporter does all of this itself, with a `Delivery` of items that are not batches.
   */
  delivery(config: Config): DeliverySettings | undefined;
  /** One instance per id, for all its signals. With a `delivery`, `consume` makes one attempt. */
  create(settings: ComponentSettings, config: Config): Component & Consumer;
}

/** The role of an extension decides what its instances implement. */
export type ExtensionFactory<Config = unknown> =
  | ExtensionFactoryOf<undefined, Component, Config>
  | { [Role in ExtensionRole]: ExtensionFactoryOf<Role, Component & ExtensionRoles[Role], Config> }[ExtensionRole];

interface ExtensionFactoryOf<Role, Instance extends Component, Config> extends FactoryOf<'extension', Config> {
  readonly role: Role;
  create(settings: ComponentSettings, config: Config): Instance;
}

export type Factory<Config = unknown> =
  | ReceiverFactory<Config>
  | ProcessorFactory<Config>
  | ConnectorFactory<Config>
  | ExporterFactory<Config>
  | ExtensionFactory<Config>;

export const componentKinds = ['receiver', 'processor', 'connector', 'exporter', 'extension'] as const;

export type ComponentKind = (typeof componentKinds)[number];

/** How items get from a pipeline to one attempt of an exporter. A part that is absent is off. */
export interface DeliverySettings {
  readonly queue?: QueueSettings | undefined;
  readonly retry?: RetrySettings | undefined;
}

export interface QueueSettings {
  /** How many items are sent at the same time. */
  readonly numConsumers: number;
  /** The capacity of the queue, in the unit of `sizer`. */
  readonly queueSize: number;
  readonly sizer: 'requests' | 'items' | 'bytes';
  /** If true, a full queue makes the pipeline wait instead of refusing the batch. */
  readonly blockOnOverflow: boolean;
}

export interface RetrySettings {
  readonly initialIntervalMs: number;
  readonly maxIntervalMs: number;
  /** An item is dropped after this time; 0 means never. */
  readonly maxElapsedTimeMs: number;
  readonly multiplier: number;
  /** 0.5 spreads an interval over ±50 %. */
  readonly randomizationFactor: number;
}

/** Everything that `diagnose` gets from the command. */
export interface DiagnosisSettings {
  /** The id in the configuration: `type` or `type/name`. */
  readonly id: string;
  /** The signals of the pipelines that use the component. Empty for extensions. */
  readonly signals: ReadonlySet<Signal>;
  /** Aborts when the result is no longer needed. */
  readonly deadline: AbortSignal;
  /** Shows what is being checked. */
  readonly progress: (what: string) => void;
}

/** The result of one check. */
export interface Finding {
  /** `error`: the component cannot do its work, or part of it. `warning`: it can, but with a disadvantage or a risk. */
  readonly severity: Severity;
  /** One line in plain words, without secrets. */
  readonly what: string;
  /** How to fix it, as a sentence or a statement. */
  readonly repair?: string;
}

export type Severity = 'ok' | 'warning' | 'error';
