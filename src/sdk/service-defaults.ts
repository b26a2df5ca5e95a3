/** The preload's defaults for the variables of OpenTelemetry. */
import { setValue, withoutEffect } from './environment-problems.ts';
import { servicePackage } from './service-package.ts';

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

/** Returns a line if nothing names the service. Evaluated code is not a service. */
export function namelessProblem(environment: Environment): string | undefined {
  const isScript = process.argv[1] !== undefined;
  if (!isScript || isNamed(environment) || servicePackage().name !== undefined) return undefined;
  return 'the service is called unknown_service:node, because no package.json names it; set OTEL_SERVICE_NAME';
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

/** Name and version of the service: those of the environment, else of its package. */
function identity(environment: Environment): Record<string, string> {
  const attributes = setValue(environment, 'OTEL_RESOURCE_ATTRIBUTES');
  const found = servicePackage();
  const name = setValue(environment, 'OTEL_SERVICE_NAME') ?? (isNamed(environment) ? undefined : found.name);
  const version = hasAttribute(attributes, 'service.version') ? undefined : found.version;
  const withVersion = [attributes, version && `service.version=${encodeURIComponent(version)}`].filter(Boolean);
  return {
    ...(name === undefined ? {} : { OTEL_SERVICE_NAME: name }),
    ...(version === undefined ? {} : { OTEL_RESOURCE_ATTRIBUTES: withVersion.join(',') }),
  };
}

/** True if the environment names the service. */
function isNamed(environment: Environment): boolean {
  if (setValue(environment, 'OTEL_SERVICE_NAME') !== undefined) return true;
  return hasAttribute(setValue(environment, 'OTEL_RESOURCE_ATTRIBUTES'), 'service.name');
}

function hasAttribute(attributes: string | undefined, key: string): boolean {
  const pairs = attributes?.split(',').map((pair) => pair.split('=')) ?? [];
  return pairs.some(([name, value]) => name?.trim() === key && value !== undefined && value.trim() !== '');
}
