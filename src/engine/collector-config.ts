import type {
  ConnectorFactory,
  ExporterFactory,
  ExtensionFactory,
  Factory,
  ProcessorFactory,
  ReceiverFactory,
  Signal,
  EmptyValues,
} from './component.ts';
import type { FileVersions } from './file-versions.ts';

/** A whole configuration after every check: each reference leads somewhere and each component's part was parsed by its schema. */
export interface CollectorConfig {
  readonly receivers: ReadonlyMap<string, Configured<ReceiverFactory>>;
  readonly processors: ReadonlyMap<string, Configured<ProcessorFactory>>;
  readonly connectors: ReadonlyMap<string, Configured<ConnectorFactory>>;
  readonly exporters: ReadonlyMap<string, Configured<ExporterFactory>>;
  readonly extensions: ReadonlyMap<string, Configured<ExtensionFactory>>;
  readonly service: ServiceConfig;
  /** The settings as they are written, without secrets. Absent if the configuration does not come from files. */
  readonly redacted?: () => unknown;
}

/** A component as the file names and sets it, whether or not a pipeline uses it. */
export interface Configured<F extends Factory> {
  /** `type` or `type/name`, as written. */
  readonly id: string;
  readonly factory: F;
  readonly config: unknown;
  readonly emptyValues?: EmptyValues | undefined;
  /** The settings before the schema, to compare them with those of another configuration. Contains secrets. */
  readonly written: unknown;
  /** The part of the settings that depends on the rest of the configuration. */
  readonly completion?: unknown;
  /** The files that the settings name, to notice that one has changed. */
  readonly files?: FileVersions | undefined;
  /** Objects from modules that the settings name, to notice that it was imported again. */
  readonly modules?: readonly unknown[] | undefined;
}

export interface ServiceConfig {
  /** Ids, in the order in which they start. */
  readonly extensions: readonly string[];
  readonly pipelines: readonly PipelineConfig[];
  readonly telemetry: TelemetryConfig;
}

export interface PipelineConfig {
  /** `signal` or `signal/name`. */
  readonly id: string;
  readonly signal: Signal;
  /** Ids of receivers, or of connectors that emit into this pipeline. */
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  /** Ids of exporters, or of connectors that this pipeline feeds. */
  readonly exporters: readonly string[];
}

export interface TelemetryConfig {
  /** Attributes of siphon's own metrics and log lines. Null removes a default one. */
  readonly resource: Readonly<Record<string, string | null>>;
  readonly logs: {
    readonly level: 'debug' | 'info' | 'warn' | 'error' | 'fatal';
    readonly encoding: 'json' | 'console' | 'auto';
    /**
     * How many lines of one message are written in each period: the first `initial`, then every `thereafter`-th, or none
     * if it is 0. Without it, all lines are written.
     */
    readonly sampling?: { readonly tickMs: number; readonly initial: number; readonly thereafter: number } | undefined;
  };
  /** Where the collector's own metrics are scraped; undefined when `level: none`. */
  readonly metrics: { readonly endpoint: { readonly host: string; readonly port: number } } | undefined;
}
