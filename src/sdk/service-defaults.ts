/** The preload's defaults for the variables of OpenTelemetry. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setValue, withoutEffect } from './environment-problems.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_ENDPOINT = 'http://127.0.0.1:4318';
const DEFAULT_GRPC_ENDPOINT = 'http://127.0.0.1:4317';

/** Returns the variables to set. Blank variables count as absent. */
export function serviceDefaults(environment: Environment): Record<string, string> {
  const sampler = setValue(environment, 'OTEL_TRACES_SAMPLER');
  const logLevel = setValue(environment, 'OTEL_LOG_LEVEL');
  return {
    ...defaultEndpoints(environment),
    // The service keeps writing its log lines as before; pino only adds the ids of the trace.
    ...(setValue(environment, 'OTEL_LOGS_EXPORTER') === undefined ? { OTEL_LOGS_EXPORTER: 'none' } : {}),
    // The SDK compares the case.
    ...(sampler === undefined ? {} : { OTEL_TRACES_SAMPLER: sampler.toLowerCase() }),
    // The SDK does not trim it.
    ...(logLevel === undefined ? {} : { OTEL_LOG_LEVEL: logLevel }),
    // A wrong value counts as absent.
    ...Object.fromEntries(withoutEffect(environment).map((variable) => [variable, ''])),
    ...identity(environment),
  };
}

/** OTLP over gRPC has a port of its own. */
function defaultEndpoints(environment: Environment): Record<string, string> {
  if (setValue(environment, 'OTEL_EXPORTER_OTLP_ENDPOINT') !== undefined) return {};
  const overGrpc = ['TRACES', 'METRICS'].filter((signal) => {
    const protocol =
      setValue(environment, `OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`) ??
      setValue(environment, 'OTEL_EXPORTER_OTLP_PROTOCOL');
    const endpoint = setValue(environment, `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`);
    return protocol === 'grpc' && endpoint === undefined;
  });
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: DEFAULT_ENDPOINT,
    ...Object.fromEntries(overGrpc.map((signal) => [`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`, DEFAULT_GRPC_ENDPOINT])),
  };
}

/** Name and version of the service: those of the environment, else of its package.json. */
function identity(environment: Environment): Record<string, string> {
  const attributes = setValue(environment, 'OTEL_RESOURCE_ATTRIBUTES');
  const manifest = packageManifest();
  const givenName = setValue(environment, 'OTEL_SERVICE_NAME');
  const name = givenName ?? (hasAttribute(attributes, 'service.name') ? undefined : manifest?.name);
  const version = hasAttribute(attributes, 'service.version') ? undefined : manifest?.version;
  const withVersion = [attributes, version && `service.version=${encodeURIComponent(version)}`].filter(Boolean);
  return {
    ...(name === undefined ? {} : { OTEL_SERVICE_NAME: name }),
    ...(version === undefined ? {} : { OTEL_RESOURCE_ATTRIBUTES: withVersion.join(',') }),
  };
}

function hasAttribute(attributes: string | undefined, key: string): boolean {
  const pairs = attributes?.split(',').map((pair) => pair.split('=')) ?? [];
  return pairs.some(([name, value]) => name?.trim() === key && value !== undefined && value.trim() !== '');
}

/** The names of the packages that the service's package.json asks for. */
export function dependenciesOfService(): ReadonlySet<string> {
  return packageManifest()?.dependencies ?? new Set();
}

interface Manifest {
  readonly name: string;
  readonly version?: string;
  readonly dependencies: ReadonlySet<string>;
}

/**
 * Returns the package.json with a name that is nearest to the script. A script within `node_modules` is a tool that runs
 * the service of the working directory, for example `next start`.
 */
function packageManifest(): Manifest | undefined {
  const script = process.argv[1];
  const isService = script !== undefined && !script.split(path.sep).includes('node_modules');
  for (let folder = isService ? path.dirname(script) : process.cwd(); ; folder = path.dirname(folder)) {
    const manifest = readManifest(path.join(folder, 'package.json'));
    if (manifest !== undefined || folder === path.dirname(folder)) return manifest;
  }
}

const DEPENDENCY_LISTS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const;

function readManifest(file: string): Manifest | undefined {
  try {
    const { name, version, ...lists } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    if (typeof name !== 'string' || name === '') return undefined;
    const dependencies = new Set(DEPENDENCY_LISTS.flatMap((list) => Object.keys(lists[list] ?? {})));
    return { name, dependencies, ...(typeof version === 'string' && version !== '' ? { version } : {}) };
  } catch {
    return undefined;
  }
}
