/** Finds values of the environment that the SDK would ignore without a word. */

type Environment = Readonly<Record<string, string | undefined>>;

const PROTOCOLS = ['grpc', 'http/protobuf', 'http/json'];

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
];

/** Lists that may hold several names, and what each name can be. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  OTEL_PROPAGATORS: ['tracecontext', 'baggage', 'b3', 'b3multi', 'none'],
  OTEL_TRACES_EXPORTER: ['otlp', 'console', 'zipkin', 'none'],
  OTEL_METRICS_EXPORTER: ['otlp', 'console', 'prometheus', 'none'],
  OTEL_LOGS_EXPORTER: ['otlp', 'console', 'none'],
  OTEL_EXPORTER_OTLP_PROTOCOL: PROTOCOLS,
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: PROTOCOLS,
  OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: PROTOCOLS,
};

const HOST = /^\.?(?:[a-z0-9_](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])$/i;

/** Returns one line for each problem, with the name of the variable. Values that may hold a secret are not shown. */
export function environmentProblems(environment: Environment): readonly string[] {
  return [
    ...['', '_TRACES', '_METRICS'].flatMap((signal) => endpointProblems(environment, signal)),
    ...samplerProblems(environment),
    ...exemplarFilterProblems(environment),
    ...flushTimeoutProblems(environment),
    ...hostProblems(environment),
    ...Object.entries(NAMES).flatMap(([name, known]) => nameProblems(environment, name, known)),
    ...(setValue(environment, 'OTEL_CONFIG_FILE') === undefined
      ? []
      : ['OTEL_CONFIG_FILE is not read here; set the other OTEL_* variables instead']),
  ];
}

/** Returns the trimmed value; undefined if it is absent or blank, which means the same in OpenTelemetry. */
export function setValue(environment: Environment, name: string): string | undefined {
  const value = environment[name]?.trim();
  return value === '' ? undefined : value;
}

function nameProblems(environment: Environment, variable: string, known: readonly string[]): string[] {
  const names = setValue(environment, variable)?.split(',') ?? [];
  const valid = names.every((name) => name.trim() === '' || known.includes(name.trim()));
  return valid ? [] : [`${variable} must be of ${known.join(', ')}; other names have no effect`];
}

/** True if the value is `true`, in any case. */
export function isSet(environment: Environment, name: string): boolean {
  return setValue(environment, name)?.toLowerCase() === 'true';
}

/** The exporters for gRPC accept `host:port`. */
function endpointProblems(environment: Environment, signal: string): string[] {
  const name = `OTEL_EXPORTER_OTLP${signal}_ENDPOINT`;
  const endpoint = setValue(environment, name);
  const protocol =
    setValue(environment, `OTEL_EXPORTER_OTLP${signal}_PROTOCOL`) ??
    setValue(environment, 'OTEL_EXPORTER_OTLP_PROTOCOL');
  if (endpoint === undefined || protocol === 'grpc') return [];
  if (!/^https?:\/\//i.test(endpoint)) return [`${name} must start with http:// or https://; nothing is sent there`];
  return URL.canParse(endpoint) ? [] : [`${name} must be a URL; nothing is sent there`];
}

function samplerProblems(environment: Environment): string[] {
  const sampler = setValue(environment, 'OTEL_TRACES_SAMPLER')?.toLowerCase();
  if (sampler === undefined) return [];
  if (!SAMPLERS.includes(sampler)) {
    return [`OTEL_TRACES_SAMPLER must be one of ${SAMPLERS.join(', ')}; parentbased_always_on is used`];
  }
  const ratio = setValue(environment, 'OTEL_TRACES_SAMPLER_ARG');
  if (!sampler.endsWith('traceidratio') || ratio === undefined || (Number(ratio) >= 0 && Number(ratio) <= 1)) return [];
  return ['OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1; 1 is used'];
}

/** An exemplar without a sampled span would lead nowhere. */
function exemplarFilterProblems(environment: Environment): string[] {
  const filter = setValue(environment, 'OTEL_METRICS_EXEMPLAR_FILTER')?.toLowerCase();
  if (filter === undefined || filter === 'trace_based' || filter === 'always_off') return [];
  return ['OTEL_METRICS_EXEMPLAR_FILTER must be trace_based or always_off; trace_based is used'];
}

function flushTimeoutProblems(environment: Environment): string[] {
  const timeout = setValue(environment, 'SIPHON_FLUSH_TIMEOUT_MS');
  if (timeout === undefined || /^\d{1,6}$/.test(timeout)) return [];
  return ['SIPHON_FLUSH_TIMEOUT_MS must be a whole number from 0 to 999999; 500 is used'];
}

function hostProblems(environment: Environment): string[] {
  const hosts = setValue(environment, 'SIPHON_PROPAGATE_TO_HOSTS')?.split(',') ?? [];
  const valid = hosts.every((host) => host.trim() === '' || HOST.test(host.trim()));
  return valid
    ? []
    : [
        'SIPHON_PROPAGATE_TO_HOSTS must be hosts without scheme, port and path, for example api.example.com,.example.com',
      ];
}
