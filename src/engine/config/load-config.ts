import type { Factory } from '../component.ts';
import { applySchema } from './apply-schema.ts';
import { checkExtensionReferences } from './check-extension-references.ts';
import { checkListeners } from './check-listeners.ts';
import { checkService } from './check-service.ts';
import type { CollectorConfig, ServiceConfig, TelemetryConfig } from '../collector-config.ts';
import { readComponents, SECTION_OF, type Components } from './read-components.ts';
import { completed } from './complete.ts';
import { componentsInUse } from './components-in-use.ts';
import { ConfigError, formatProblem, ProblemList } from './config-error.ts';
import { childOf, type ConfigNode, type MappingNode } from './config-node.ts';
import { redactConfig } from './redact.ts';
import { expandNode, type Environment } from './expand.ts';
import { mergeNodes } from './merge-nodes.ts';
import { parseYaml } from './parse-yaml.ts';
import { serviceKeys, telemetryConfig } from './service-config.ts';
import { parseSetOption } from './set-option.ts';

export interface ConfigSource {
  /** The path of the file as the user gave it. Problems and relative module paths refer to it. */
  readonly name: string;
  readonly text: string;
}

export interface LoadOptions {
  /** Later ones win. */
  readonly sources: readonly ConfigSource[];
  /** `a.b=value`, applied last. */
  readonly sets: readonly string[];
  readonly environment: Environment;
  readonly factories: readonly Factory[];
}

export interface LoadedConfig {
  readonly config: CollectorConfig;
  /** The configuration after merging and expanding, before schemas. It contains secrets. */
  readonly root: ConfigNode;
  /** Probable mistakes, one sentence each, without values. */
  readonly warnings: readonly string[];
}

/**
 * Reads, merges, expands and checks a whole configuration.
 *
 * @throws ConfigError with all problems.
 */
export async function loadConfig({ sources, sets, environment, factories }: LoadOptions): Promise<LoadedConfig> {
  const problems = new ProblemList();
  const warnings: string[] = [];
  const root = expandNode(mergeAll(sources, sets, warnings), {
    environment,
    problems,
    onUnset: (variable, place, path) => {
      warnings.push(formatProblem({ place, path, message: `\${env:${variable}} is not set and has no default` }));
    },
  });
  const components = await readComponents(root, factories, problems);
  const service = await readService(root, components, problems);
  problems.throwIfAny();
  const read: CollectorConfig = { ...components, service };
  const config: CollectorConfig = { ...completed(read), redacted: () => redactConfig(root, config) };
  checkListeners(config, root, problems);
  problems.throwIfAny();
  warnings.push(...unusedComponents(config), ...incompleteProcessors(config));
  return { config, root, warnings };
}

/** @throws ConfigError with the first problem of each source that is not valid YAML. */
function mergeAll(sources: readonly ConfigSource[], sets: readonly string[], warnings: string[]): ConfigNode {
  const unreadable: ConfigError[] = [];
  const read = (parse: () => ConfigNode): ConfigNode[] => {
    try {
      return [parse()];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      unreadable.push(error);
      return [];
    }
  };
  const files = sources.flatMap(({ name, text }) => read(() => asSections(parseYaml(name, text))));
  const options = sets.flatMap((set) => read(() => parseSetOption(set)));
  if (unreadable.length > 0) throw new ConfigError(unreadable.flatMap(({ problems }) => problems));
  const empty: ConfigNode = {
    kind: 'mapping',
    place: { source: sources[0]?.name ?? 'configuration' },
    entries: new Map(),
  };
  const ofFiles = files.reduce<ConfigNode>(
    (merged, file) =>
      mergeNodes(merged, file, ({ place: { source } }, { place }, path) => {
        warnings.push(formatProblem({ place, path, message: `replaces the list in ${source}; lists are not joined` }));
      }),
    empty,
  );
  return options.reduce((merged, option) => mergeNodes(merged, option), ofFiles);
}

/** An empty file is an empty configuration. */
function asSections(root: ConfigNode): ConfigNode {
  if (root.kind === 'mapping') return withNestedKeys(root);
  if (root.kind === 'scalar' && root.value === null) return { kind: 'mapping', place: root.place, entries: new Map() };
  const message =
    'must be a mapping with the keys receivers, processors, connectors, exporters, extensions and service';
  throw new ConfigError([{ place: root.place, path: [], message }]);
}

/** `exporters::debug::verbosity: detailed` at the top level, as in the Collector's `--config yaml:`. */
function withNestedKeys(root: MappingNode): ConfigNode {
  const { place } = root;
  const parts = [...root.entries].map(([key, node]) => {
    const keys = key.split('::');
    return keys.reduceRight<ConfigNode>(
      (child, name) => ({ kind: 'mapping', place, entries: new Map([[name, child]]) }),
      node,
    );
  });
  return parts.reduce<ConfigNode>((merged, part) => mergeNodes(merged, part), { ...root, entries: new Map() });
}

async function readService(root: ConfigNode, components: Components, problems: ProblemList): Promise<ServiceConfig> {
  const node = childOf(root, 'service');
  const keys = await applySchema(serviceKeys, { node, path: ['service'], parent: root }, problems);
  const telemetry = await applySchema(
    telemetryConfig,
    { node: childOf(node, 'telemetry'), path: ['service', 'telemetry'], parent: node ?? root },
    problems,
  );
  const checked = keys && checkService(keys, { root, components, problems });
  if (checked !== undefined) checkExtensionReferences(checked.extensions, { root, components, problems });
  return { ...(checked ?? NOTHING), telemetry: telemetry ?? DEFAULT_TELEMETRY };
}

// Placeholders for parts with problems. A configuration that contains them is never returned.
const NOTHING = { extensions: [], pipelines: [] };
const DEFAULT_TELEMETRY: TelemetryConfig = {
  resource: {},
  logs: { level: 'info', encoding: 'auto' },
  metrics: undefined,
};

function unusedComponents(config: CollectorConfig): string[] {
  const used = new Set(componentsInUse(config).map(({ factory, id }) => `${SECTION_OF[factory.kind]}::${id}`));
  const all = Object.values(SECTION_OF).flatMap((section) =>
    [...config[section].keys()].map((id) => `${section}::${id}`),
  );
  const unused = all.filter((name) => !used.has(name));
  return unused.length === 0 ? [] : [`configured but not used by the service: ${unused.join(', ')}`];
}

/** Processors that are in one of the pipelines that they need, but not in the others. */
function incompleteProcessors(config: CollectorConfig): string[] {
  return componentsInUse(config).flatMap(({ factory, id, config: settings, signals }) => {
    const needed = factory.kind === 'processor' ? (factory.neededSignals?.(settings) ?? []) : [];
    return needed
      .filter((signal) => !signals.has(signal))
      .map((signal) => `processors::${id} has no effect without a pipeline of ${signal} that contains it too`);
  });
}
