import type { Factory, Signal } from '../component.ts';
import type { Configured, PipelineConfig } from '../collector-config.ts';
import type { Components } from './read-components.ts';
import type { ProblemList } from './config-error.ts';
import { childOf, nearestNode, type ConfigNode, type ConfigPath } from './config-node.ts';
import { suggest } from './nearest-name.ts';
import type { ServiceKeys } from './service-config.ts';

const SIGNALS: readonly Signal[] = ['traces', 'metrics', 'logs'];

/** The pipelines and extensions of the service. Reports every reference that is wrong. */
export function checkService(
  service: ServiceKeys,
  context: PipelineContext,
): { pipelines: PipelineConfig[]; extensions: string[] } {
  const check = new ServiceCheck(context);
  check.extensions(service.extensions);
  const pipelines = Object.entries(service.pipelines).flatMap(([id, keys]) => check.pipeline(id, keys) ?? []);
  if (Object.keys(service.pipelines).length === 0) {
    check.report(['service', 'pipelines'], 'must contain at least one pipeline, for example metrics');
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

  /** @param section where the problem's cause may be: an unset variable instead of the section. */
  report(path: ConfigPath, message: string, section?: string): void {
    const { root, problems } = this.#context;
    const { place, emptyVariables = [] } = nearestNode(root, path);
    const inSection = (section && childOf(root, section)?.emptyVariables) || [];
    problems.add({ place, emptyVariables: [...emptyVariables, ...inSection] }, path, message);
  }

  extensions(ids: readonly string[]): void {
    const known = this.#context.components.extensions;
    for (const [index, id] of ids.entries()) {
      if (!known.has(id) && !this.#isWritten('extensions', id))
        this.report(
          ['service', 'extensions', index],
          unknownReference(id, 'extensions', [...known.keys()]),
          'extensions',
        );
    }
  }

  pipeline(id: string, keys: PipelineKeys): PipelineConfig | undefined {
    const path = ['service', 'pipelines', id];
    const signal = SIGNALS.find((name) => id === name || (id.startsWith(`${name}/`) && id.length > name.length + 1));
    if (signal === undefined) {
      this.report(path, `is not a valid pipeline id: must be ${SIGNALS.join(', ')}, or one of them with /name`);
      return undefined;
    }
    for (const role of ['receivers', 'exporters'] as const) {
      if (keys[role].length === 0) this.report([...path, role], `must list at least one ${role.slice(0, -1)}`);
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
          `refers to ${id}, which does not support ${signal} here: it supports ${supported.join(', ')}`,
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
    if (found === undefined) this.report(path, unknownReference(id, role, [...own.keys(), ...connectors.keys()]), role);
    else if (own.has(id) && connectors.has(id))
      this.report(path, `refers to ${id}, which is both in ${role} and in connectors: rename one`);
    return found;
  }

  /** True if the section has the id: then the component was already reported, and the reference is right. */
  #isWritten(section: string, id: string): boolean {
    return childOf(childOf(this.#context.root, section), id) !== undefined;
  }

  #duplicates(path: ConfigPath, ids: readonly string[]): void {
    for (const [index, id] of ids.entries()) {
      if (ids.indexOf(id) < index)
        this.report([...path, index], `lists ${id} twice; a pipeline can contain a processor only once`);
    }
  }

  /** Each connector joins pipelines, without a cycle. */
  connectors(pipelines: readonly PipelineConfig[]): void {
    for (const id of this.#context.components.connectors.keys()) {
      const fed = pipelines.some(({ exporters }) => exporters.includes(id));
      const feeds = pipelines.some(({ receivers }) => receivers.includes(id));
      if (fed && !feeds)
        this.report(['connectors', id], 'is an exporter of a pipeline, so it must also be a receiver of another one');
      if (feeds && !fed)
        this.report(['connectors', id], 'is a receiver of a pipeline, so it must also be an exporter of another one');
    }
    const cycle = findCycle(pipelines, this.#context.components);
    if (cycle !== undefined)
      this.report(
        ['service', 'pipelines', cycle[0] as string],
        `is part of a cycle of connectors: ${cycle.join(' → ')}`,
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
  if (id === '') return `must be one of the ids in ${section}; configured: ${all}`;
  return `refers to ${id}, which is not configured in ${section}${suggest(id, known)}; configured: ${all}`;
}

/** The ids of the pipelines in a cycle. The first id is repeated at the end. */
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
