import type { Factory, Signal } from '../../../src/engine/component.ts';
import type { CollectorConfig, Configured, PipelineConfig } from '../../../src/engine/collector-config.ts';

interface Parts {
  readonly factories: Readonly<Record<string, Factory>>;
  readonly configs?: Readonly<Record<string, unknown>>;
  readonly pipelines: Readonly<Record<string, Partial<Omit<PipelineConfig, 'id' | 'signal'>>>>;
  readonly extensions?: readonly string[];
  readonly metricsPort?: number;
  /** The settings of components before their schemas; by default, the parsed ones. */
  readonly written?: Readonly<Record<string, unknown>>;
}

/** A checked configuration from its parts. */
export function collectorConfig({
  factories,
  configs = {},
  pipelines,
  extensions = [],
  metricsPort,
  written = configs,
}: Parts): CollectorConfig {
  const all = Object.entries(factories).map(([id, factory]) => ({
    id,
    factory,
    config: configs[id],
    written: written[id],
  }));
  const ofKind = <F extends Factory>(kind: F['kind']) =>
    new Map(all.filter(({ factory }) => factory.kind === kind).map((one) => [one.id, one as unknown as Configured<F>]));
  return {
    receivers: ofKind('receiver'),
    processors: ofKind('processor'),
    connectors: ofKind('connector'),
    exporters: ofKind('exporter'),
    extensions: ofKind('extension'),
    service: {
      extensions,
      pipelines: Object.entries(pipelines).map(([id, parts]) => ({
        id,
        signal: id.split('/')[0] as Signal,
        receivers: parts.receivers ?? ['manual'],
        processors: parts.processors ?? [],
        exporters: parts.exporters ?? ['sink'],
      })),
      telemetry: {
        resource: {},
        logs: { level: 'info', encoding: 'json' },
        metrics: metricsPort === undefined ? undefined : { endpoint: { host: '127.0.0.1', port: metricsPort } },
      },
    },
  };
}
