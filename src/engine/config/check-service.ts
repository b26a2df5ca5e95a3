import type { Factory, Signal } from '../component.ts';
import type { Configured, PipelineConfig } from '../collector-config.ts';
import type { Components } from './read-components.ts';
import type { ProblemList } from './config-error.ts';
import { childOf, nearestNode, type ConfigNode, type ConfigPath } from './config-node.ts';
import { suggest } from './nearest-name.ts';
import type { ServiceKeys } from './service-schema.ts';

const SIGNALS: readonly Signal[] = ['traces', 'metrics', 'logs'];

/** The pipelines and extensions of the service, each of whose references was followed. */
export function checkService(
  service: ServiceKeys,
  context: PipelineContext,
): { pipelines: PipelineConfig[]; extensions: string[] } {
  const check = new ServiceCheck(context);
  check.extensions(service.extensions);
  const pipelines = Object.entries(service.pipelines).flatMap(([id, keys]) => check.pipeline(id, keys) ?? []);
  if (Object.keys(service.pipelines).length === 0) {
    check.report(['service', 'pipelines'], 'must have at least one pipeline, for example metrics');
  }
  check.connectors(pipelines);
  return { pipelines, extensions: [...new Set(service.extensions)] };
}

export interface PipelineContext {
  readonly root: ConfigNode;
  readonly components: Components;
  readonly problems: ProblemList;
}

type PipelineKeys = ServiceKeys['pipelines'][string];
type Role = 'receivers' | 'processors' | 'exporters';

class ServiceCheck {
  readonly #context: PipelineContext;

  constructor(context: PipelineContext) {
    this.#context = context;
  }

  report(path: ConfigPath, message: string): void {
    this.#context.problems.add(nearestNode(this.#context.root, path).place, path, message);
  }

  extensions(ids: readonly string[]): void {
    const known = this.#context.components.extensions;
    for (const [index, id] of ids.entries()) {
      if (!known.has(id) && !this.#isWritten('extensions', id))
        this.report(['service', 'extensions', index], unknownReference(id, 'extensions', [...known.keys()]));
    }
  }

  pipeline(id: string, keys: PipelineKeys): PipelineConfig | undefined {
    const path = ['service', 'pipelines', id];
    const signal = SIGNALS.find((name) => id === name || (id.startsWith(`${name}/`) && id.length > name.length + 1));
    if (signal === undefined) {
      this.report(path, `is no id of a pipeline: must be ${SIGNALS.join(', ')}, or one of them with /name`);
      return undefined;
    }
    for (const role of ['receivers', 'exporters'] as const) {
      if (keys[role].length === 0) this.report([...path, role], `must name at least one of the ${role}`);
    }
    for (const role of ['receivers', 'processors', 'exporters'] as const)
      this.#references(id, signal, { role, ids: keys[role] });
    this.#duplicates([...path, 'processors'], keys.processors);
    return {
      id,
      signal,
      receivers: once(keys.receivers),
      processors: keys.processors,
      exporters: once(keys.exporters),
    };
  }

  #references(pipeline: string, signal: Signal, { role, ids }: { role: Role; ids: readonly string[] }): void {
    for (const [index, id] of ids.entries()) {
      const path = ['service', 'pipelines', pipeline, role, index];
      const component = this.#find(role, id, path);
      if (component === undefined) continue;
      const supported = signalsIn(role, component.factory);
      if (!supported.includes(signal)) {
        this.report(
          path,
          `refers to ${id}, which cannot stand here in a pipeline of ${signal}: it is for ${supported.join(', ')}`,
        );
      }
    }
  }

  #find(role: Role, id: string, path: ConfigPath): Configured<Factory> | undefined {
    const { components } = this.#context;
    const own = components[role] as ReadonlyMap<string, Configured<Factory>>;
    const connectors = role === 'processors' ? new Map<string, Configured<Factory>>() : components.connectors;
    const found = own.get(id) ?? connectors.get(id);
    if (
      found === undefined &&
      (this.#isWritten(role, id) || (role !== 'processors' && this.#isWritten('connectors', id)))
    )
      return undefined;
    if (found === undefined) this.report(path, unknownReference(id, role, [...own.keys(), ...connectors.keys()]));
    else if (own.has(id) && connectors.has(id))
      this.report(path, `refers to ${id}, which is both under ${role} and under connectors: rename one`);
    return found;
  }

  /** Whether the section has the id after all: then the component is wrong, which was reported, but not the reference. */
  #isWritten(section: string, id: string): boolean {
    return childOf(childOf(this.#context.root, section), id) !== undefined;
  }

  #duplicates(path: ConfigPath, ids: readonly string[]): void {
    for (const [index, id] of ids.entries()) {
      if (ids.indexOf(id) < index)
        this.report([...path, index], `names ${id} twice, but each processor may stand in a pipeline once`);
    }
  }

  /** Each connector joins pipelines, and no chain of connectors leads back to where it began. */
  connectors(pipelines: readonly PipelineConfig[]): void {
    for (const id of this.#context.components.connectors.keys()) {
      const fed = pipelines.some(({ exporters }) => exporters.includes(id));
      const feeds = pipelines.some(({ receivers }) => receivers.includes(id));
      if (fed && !feeds)
        this.report(
          ['connectors', id],
          'stands among the exporters of a pipeline, so it must also stand among the receivers of one',
        );
      if (feeds && !fed)
        this.report(
          ['connectors', id],
          'stands among the receivers of a pipeline, so it must also stand among the exporters of one',
        );
    }
    const cycle = findCycle(pipelines, this.#context.components);
    if (cycle !== undefined)
      this.report(
        ['service', 'pipelines', cycle[0] as string],
        `is part of a circle, which is not allowed: ${cycle.join(' → ')}`,
      );
  }
}

function once(ids: readonly string[]): string[] {
  return [...new Set(ids)];
}

function signalsIn(role: Role, factory: Factory): readonly Signal[] {
  return role === 'receivers' && factory.kind === 'connector' ? factory.emits : factory.signals;
}

export function unknownReference(id: string, section: string, known: readonly string[]): string {
  const all = known.length === 0 ? 'none' : known.join(', ');
  return `refers to ${id}, which is not configured under ${section}${suggest(id, known)}; configured: ${all}`;
}

/** Ids of pipelines, the last of which is the first again. */
function findCycle(pipelines: readonly PipelineConfig[], { connectors }: Components): string[] | undefined {
  const done = new Set<string>();
  const visit = (pipeline: PipelineConfig, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(pipeline.id)) return [...trail.slice(trail.indexOf(pipeline.id)), pipeline.id];
    if (done.has(pipeline.id)) return undefined;
    for (const next of pipelines.filter(({ receivers }) =>
      receivers.some((id) => connectors.has(id) && pipeline.exporters.includes(id)),
    )) {
      const cycle = visit(next, [...trail, pipeline.id]);
      if (cycle !== undefined) return cycle;
    }
    done.add(pipeline.id);
    return undefined;
  };
  for (const pipeline of pipelines) {
    const cycle = visit(pipeline, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
