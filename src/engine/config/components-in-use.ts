import type { Factory, Signal } from '../component.ts';
import type { CollectorConfig, Configured, PipelineConfig } from '../collector-config.ts';

export interface ComponentInUse extends Configured<Factory> {
  /** The signals of the pipelines that use it. Empty for extensions. */
  readonly signals: ReadonlySet<Signal>;
}

/** The components in pipelines and in `service.extensions`: extensions first, then in the direction of the data. */
export function componentsInUse(config: CollectorConfig): ComponentInUse[] {
  const { extensions, pipelines } = config.service;
  const piped = [
    ...used(config.receivers, pipelines, ({ receivers }) => receivers),
    ...used(config.processors, pipelines, ({ processors }) => processors),
    ...used(config.connectors, pipelines, ({ exporters }) => exporters),
    ...used(config.exporters, pipelines, ({ exporters }) => exporters),
  ];
  return [
    ...extensions.map((id) => ({ ...config.extensions.get(id)!, signals: new Set<Signal>() })),
    ...piped.filter(({ signals }) => signals.size > 0),
  ];
}

function used(
  components: ReadonlyMap<string, Configured<Factory>>,
  pipelines: readonly PipelineConfig[],
  idsOf: (pipeline: PipelineConfig) => readonly string[],
): ComponentInUse[] {
  return [...components.values()].map((component) => {
    const users = pipelines.filter((pipeline) => idsOf(pipeline).includes(component.id));
    return { ...component, signals: new Set(users.map(({ signal }) => signal)) };
  });
}
