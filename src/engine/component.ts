import type { Logger } from 'pino';
import type { GenericSchema, GenericSchemaAsync } from 'valibot';
import type { Instruments } from '../metrics/instruments.ts';
import type { transports } from '../metrics/self.ts';
import type { ComponentLedger } from './account.ts';
import type { Authenticator } from './authenticator.ts';
import type { Handover } from './handover.ts';
import type { MetricHistory, SampleSource } from './metric-history.ts';
import type { QueryApis } from './query-apis.ts';
import type { FileStorage } from './storage.ts';

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
  /** True if siphon measured it itself, for example by polling a database. Limits for senders do not apply to it. */
  readonly isOwn?: boolean | undefined;
}

export interface Consumer {
  /**
   * Resolves when the batch is accepted: the caller may forget it. Until then the caller waits, which is the only form
   * of backpressure.
   *
   * @returns the part that is lost, if the sender should know. A component that passes a batch on passes this back.
   * @throws PermanentError if it is useless to send the same batch again.
   * @throws RetryableError if the same batch may be accepted later, after `retryAfterMs` if given.
   */
  consume(batch: TelemetryBatch): Promise<PartialSuccess | void>;
}

/** The part of an accepted batch that is already known to be lost. It is useless to send it again. */
export interface PartialSuccess {
  readonly rejectedItems: number;
  /** One sentence without secrets, for the operators of the sender. */
  readonly message: string;
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
  /** `ok` from the moment every component has started until shutdown begins, unless telemetry is refused for minutes. */
  status(): HostStatus;
  /**
   * Reports that the component refuses telemetry.
   *
   * @param sinceMs when this began, as `performance.now()`; undefined if it has ended.
   */
  reportRefusing(component: Component, sinceMs: number | undefined): void;
  /**
   * Reports that the component works only in part, for health checks. It does not change the status: a restart would not
   * help.
   *
   * @param reason one sentence without secrets; undefined if this has ended.
   */
  reportDegraded(component: Component, reason: string | undefined): void;
  /** The reasons of all components that work only in part. */
  degraded(): readonly string[];
  /** Keeps the servers of components that a reload replaces. */
  readonly handover: Handover;
  /** The queries that running components answer. */
  readonly queryApis: QueryApis;
  /** The collector's own metrics; undefined with `level: none`. */
  readonly ownSamples: SampleSource | undefined;
  /** The components that run now; they change when the configuration is reloaded. */
  running(): RunningService;
  /** The settings of the configuration, without secrets. Undefined if it does not come from files. */
  configuration(): unknown;
  /**
   * Calls `watch` with each batch that arrives at an edge of a pipeline, until the result is disposed of. Without watchers, an
   * edge costs one comparison.
   *
   * @param edge the number of processors before it.
   * @returns undefined if the edge does not exist.
   */
  watch(pipeline: string, edge: number, watch: Watcher): Disposable | undefined;
}

/** Sees a batch before the consumer behind the edge. It must not change the batch, and must return immediately. */
export type Watcher = (batch: TelemetryBatch) => void;

/** The extensions and pipelines of a collector, by the ids of their components. */
export interface RunningService {
  readonly extensions: readonly string[];
  readonly pipelines: readonly RunningPipeline[];
}

export interface RunningPipeline {
  readonly id: string;
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}

export type HostStatus = 'starting' | 'ok' | 'refusing' | 'stopping';

/** The interfaces that extensions implement for other components, by role. */
export interface ExtensionRoles {
  authenticator: Authenticator;
  storage: FileStorage;
  history: MetricHistory;
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
  /** Where a component that holds, loses or sends accepted items reports them, so that every item has a known fate. */
  readonly ledger: ComponentLedger;
  /** siphon's own version. */
  readonly version: string;
  readonly emptyValues?: EmptyValues | undefined;
}

/** The values of the component's configuration that are empty because of a variable, by their path `a::b`. */
export type EmptyValues = ReadonlyMap<string, EmptyValue>;

export interface EmptyValue {
  /** As in `${env:NAME} is not set`. */
  readonly cause: string;
  /** True if the configuration writes an empty default, as in `${env:NAME:-}`. */
  readonly isDefault: boolean;
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
   * The files that the component reads only when it starts. A reload replaces it if one of them has changed.
   */
  files?(config: Config): readonly (string | undefined)[];
  /** Objects from modules that the settings name. A reload replaces the component if one of them is another object now. */
  modules?(config: Config): readonly unknown[];
  /**
   * Names what the component is about, in words that other components understand: the packs whose metrics it makes, and
   * `sentry` if it sends there.
   */
  subjects?(config: Config): readonly string[];
  /**
   * Settings that depend on the rest of the configuration. They replace those of the schema, and a reload replaces the
   * component if they change. They contain no secrets.
   *
   * @param subjects those of all components in use.
   */
  complete?(config: Config, subjects: ReadonlySet<string>): Partial<Config>;
  /**
   * Checks the content of files that the settings name, for `siphon validate`. A mistake there stops the start.
   *
   * @throws ConfigError with all mistakes.
   */
  check?(config: Config): Promise<void>;
  /**
   * Checks what the component will need, for `siphon doctor`: without starting it and without changing anything. Ends
   * within a bounded time. A failed check is a finding, not an error.
   */
  diagnose?(settings: DiagnosisSettings, config: Config): AsyncIterable<Finding>;
  /**
   * The SQL that prepares the component's database, for `siphon doctor --sql`. Changes nothing. It works without the
   * database, but may then print statements for what exists already.
   */
  setup?(settings: SetupSettings, config: Config): Promise<SetupSql>;
}

export interface ReceiverFactory<Config = unknown> extends FactoryOf<'receiver', Config> {
  /**
   * True if the receiver looks at `settings.signals` whenever it needs them. Then a reload that adds or removes a signal
   * does not replace the receiver, but changes the set.
   */
  readonly followsSignals?: boolean;
  /** One instance per id, for all its signals. */
  create(settings: ComponentSettings, config: Config, next: ConsumerFor): Component;
}

/**
 * The pipelines behind a receiver, for one of its transports (`http`, `grpc`, …; the label `transport` of
 * `otelcol_receiver_accepted_*`). Each batch goes to the pipelines of its signal.
 */
export type ConsumerFor = (transport: Transport) => Consumer;

export type Transport = (typeof transports)[number];

export interface ProcessorFactory<Config = unknown, Shared = unknown> extends FactoryOf<'processor', Config> {
  /**
   * Makes what the instances of one id have in common, before the first of them. It opens nothing and needs no shutdown.
   *
   * @param settings those of the first instance.
   */
  share?(settings: ComponentSettings, config: Config): Shared;
  /** The signals whose pipelines must all have it, so that it does what its settings describe. Otherwise a warning appears. */
  neededSignals?(config: Config): readonly Signal[];
  /**
   * One instance per id and pipeline.
   *
   * @param shared what `share` returned for this id.
   */
  create(settings: ComponentSettings, config: Config, next: Consumer, shared?: Shared): Component & Consumer;
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
  /**
   * True if a second instance could not start while the first one runs, for example because both listen on one address.
   * A reload stops such an exporter before it starts the new one. Otherwise the new one starts first. False if absent.
   */
  isExclusive?(config: Config): boolean;
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
  /** Keeps the queue on disk instead of in memory, so that it survives the end of the process. */
  readonly storage?: { readonly id: string; readonly role: 'storage' } | undefined;
  /** If true, a full queue makes the pipeline wait instead of refusing the batch. */
  readonly blockOnOverflow: boolean;
}

export interface RetrySettings {
  readonly initialIntervalMs: number;
  readonly maxIntervalMs: number;
  /** An item is dropped after this time; 0 means never. */
  readonly maxElapsedTimeMs: number;
  /** True if that time does not count while the backend is away: only an item that fails while others succeed is dropped. */
  readonly outlastsAbsence?: boolean;
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
  readonly emptyValues?: EmptyValues | undefined;
}

export interface SetupSettings {
  /** The role that the component logs in as. */
  readonly role: string;
}

/** Statements for the owner of a database. Each of both can be run again. */
export interface SetupSql {
  readonly apply: string;
  /** Reverts `apply`. */
  readonly undo: string;
}

/** The result of one check. */
export interface Finding {
  /**
   * `error`: the component cannot do its work, or part of it. `warning`: it can, but with a disadvantage or a risk. `note`:
   * something is not available here, which is not a problem.
   */
  readonly severity: Severity;
  /** One line in plain words, without secrets. */
  readonly what: string;
  /** How to fix it, as a sentence or a statement. */
  readonly repair?: string;
}

export type Severity = 'ok' | 'note' | 'warning' | 'error';
