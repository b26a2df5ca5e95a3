import type { ComponentKind, Factory } from '../component.ts';
import { applySchema, unknownKeyMessage } from './apply-schema.ts';
import type { CollectorConfig, Configured } from '../collector-config.ts';
import type { ProblemList } from './config-error.ts';
import { fileVersions } from '../file-versions.ts';
import { emptyValuesIn, toWritten, type ConfigNode } from './config-node.ts';
import { suggest } from './nearest-name.ts';

export const SECTION_OF = {
  receiver: 'receivers',
  processor: 'processors',
  connector: 'connectors',
  exporter: 'exporters',
  extension: 'extensions',
} as const satisfies Record<ComponentKind, keyof CollectorConfig>;

export type Components = Omit<CollectorConfig, 'service'>;

const KINDS = Object.keys(SECTION_OF) as ComponentKind[];
const TOP_LEVEL = [...Object.values(SECTION_OF), 'service'];

/** All components of the configuration, parsed by the schemas of their factories. */
export async function readComponents(
  root: ConfigNode,
  factories: readonly Factory[],
  problems: ProblemList,
): Promise<Components> {
  if (root.kind === 'mapping') reportUnknownSections(root.entries, problems);
  const sections: [string, Map<string, Configured<Factory>>][] = [];
  for (const kind of KINDS) sections.push([SECTION_OF[kind], await readSection({ root, factories, problems }, kind)]);
  return Object.fromEntries(sections) as unknown as Components;
}

interface Reading {
  readonly root: ConfigNode;
  readonly factories: readonly Factory[];
  readonly problems: ProblemList;
}

function reportUnknownSections(sections: ReadonlyMap<string, ConfigNode>, problems: ProblemList): void {
  for (const [name, { place }] of sections) {
    if (!TOP_LEVEL.includes(name)) problems.add({ place }, [name], unknownKeyMessage(name, TOP_LEVEL));
  }
}

async function readSection(reading: Reading, kind: ComponentKind): Promise<Map<string, Configured<Factory>>> {
  const section = SECTION_OF[kind];
  const found = new Map<string, Configured<Factory>>();
  const { root, problems } = reading;
  const node = root.kind === 'mapping' ? root.entries.get(section) : undefined;
  if (node === undefined || (node.kind === 'scalar' && node.value === null)) return found;
  if (node.kind !== 'mapping') {
    problems.add(node, [section], `must be a mapping from ids (type or type/name) to settings`);
    return found;
  }
  for (const [id, child] of node.entries) {
    const factory = factoryOf(reading, { kind, id, place: child.place });
    // A component with problems keeps its id, so that references to it are not reported too.
    if (factory !== undefined) {
      const config = await applySchema(factory.config, { node: child, path: [section, id], parent: node }, problems);
      found.set(id, { id, factory, config, ...sourcesOf(child, factory, config) });
    }
  }
  return found;
}

/** @param config undefined if it has problems. */
function sourcesOf(
  node: ConfigNode,
  factory: Factory,
  config: unknown,
): Omit<Configured<Factory>, 'id' | 'factory' | 'config'> {
  return {
    written: toWritten(node),
    emptyValues: emptyValuesIn(node),
    ...(config !== undefined && {
      files: fileVersions(factory.files?.(config) ?? []),
      modules: factory.modules?.(config) ?? [],
    }),
  };
}

interface Named {
  readonly kind: ComponentKind;
  readonly id: string;
  readonly place: ConfigNode['place'];
}

/** Components of the stock Collector whose purpose another one of siphon has. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'exporter otlp': ' (use otlp_http: siphon does not send OTLP over gRPC)',
  'exporter otlp_grpc': ' (use otlp_http: siphon does not send OTLP over gRPC)',
  'exporter logging': ' (use debug)',
  'exporter prometheusremotewrite': ' (use prometheus, which Prometheus scrapes)',
  'receiver prometheus': ' (let Prometheus scrape the target itself)',
  'receiver postgresql': ' (use db_poller with the pack postgres_health)',
};

const ID = /^[a-zA-Z][a-zA-Z0-9_]{0,62}(?:\/[^\s\p{Cc}]{1,256})?$/u;

function factoryOf({ factories, problems }: Reading, { kind, id, place }: Named): Factory | undefined {
  const path = [SECTION_OF[kind], id];
  if (!ID.test(id)) {
    problems.add({ place }, path, 'is not a valid id: must be type or type/name, for example otlp or otlp/second');
    return undefined;
  }
  const type = id.split('/', 1)[0] as string;
  const candidates = factories.filter((factory) => factory.kind === kind);
  const factory = candidates.find((candidate) => candidate.type === type || candidate.aliases?.includes(type));
  if (factory === undefined) {
    const types = candidates.map((candidate) => candidate.type);
    const all = types.length === 0 ? 'none' : types.join(', ');
    const hint = ELSEWHERE[`${kind} ${type}`] ?? suggest(type, types);
    problems.add({ place }, path, `unknown ${kind} type${hint}; available: ${all}`);
  }
  return factory;
}
