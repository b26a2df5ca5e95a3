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

const LOG_LEVELS = ['none', 'error', 'warn', 'info', 'debug', 'verbose', 'all'];

const COMPRESSIONS = ['', '_TRACES', '_METRICS', '_LOGS'].map((signal) => `OTEL_EXPORTER_OTLP${signal}_COMPRESSION`);

const BOOLEANS = [
  'OTEL_SDK_DISABLED',
  'SIPHON_CONSOLE_TRACE_IDS',
  'SIPHON_SEND_CONSOLE_LINES',
  'SIPHON_OBSERVE_WORKERS',
  'SIPHON_SEND_PERSONAL_DATA',
];

const MILLISECONDS = [
  'OTEL_METRIC_EXPORT_INTERVAL',
  'OTEL_METRIC_EXPORT_TIMEOUT',
  'OTEL_BSP_SCHEDULE_DELAY',
  'OTEL_BSP_EXPORT_TIMEOUT',
  'OTEL_BLRP_SCHEDULE_DELAY',
  'OTEL_BLRP_EXPORT_TIMEOUT',
  ...['', '_TRACES', '_METRICS', '_LOGS'].map((signal) => `OTEL_EXPORTER_OTLP${signal}_TIMEOUT`),
];

const COUNTS = [
  'OTEL_BSP_MAX_QUEUE_SIZE',
  'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
  'OTEL_BLRP_MAX_QUEUE_SIZE',
  'OTEL_BLRP_MAX_EXPORT_BATCH_SIZE',
];

/** A number, the one that it must not exceed, and the default of that one. */
const BOUNDED = [
  ['OTEL_METRIC_EXPORT_TIMEOUT', 'OTEL_METRIC_EXPORT_INTERVAL', 60_000],
  ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 'OTEL_BSP_MAX_QUEUE_SIZE', 2048],
  ['OTEL_BLRP_MAX_EXPORT_BATCH_SIZE', 'OTEL_BLRP_MAX_QUEUE_SIZE', 2048],
] as const;

/** The longest time of a timer of Node. A longer one ends immediately. */
const MAX_NUMBER = 2 ** 31 - 1;

const HOST = /^\.?(?:[a-z0-9_](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])$/i;

/** Returns one line for each problem, with the name of the variable. Values that may hold a secret are not shown. */
export function environmentProblems(environment: Environment): readonly string[] {
  return [
    ...['', '_TRACES', '_METRICS'].flatMap((signal) => endpointProblems(environment, signal)),
    ...samplerProblems(environment),
    ...exemplarFilterProblems(environment),
    ...flushTimeoutProblems(environment),
    ...hostProblems(environment),
    ...numberProblems(environment),
    ...BOOLEANS.flatMap((name) => booleanProblems(environment, name)),
    ...COMPRESSIONS.flatMap((name) => compressionProblems(environment, name)),
    ...(isWrongLogLevel(environment)
      ? [`OTEL_LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}; nothing is logged`]
      : []),
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

/** The names of the variables that are reported and whose default is then used. The SDK itself would use some of them. */
export function withoutEffect(environment: Environment): string[] {
  const numbers = [...MILLISECONDS, ...COUNTS].filter((name) => isWrongNumber(environment, name));
  return isWrongLogLevel(environment) ? [...numbers, 'OTEL_LOG_LEVEL'] : numbers;
}

function isWrongLogLevel(environment: Environment): boolean {
  const level = setValue(environment, 'OTEL_LOG_LEVEL');
  return level !== undefined && !LOG_LEVELS.includes(level.toLowerCase());
}

function isWrongNumber(environment: Environment, name: string): boolean {
  const number = Number(setValue(environment, name) ?? 1);
  return !Number.isInteger(number) || number < 1 || number > MAX_NUMBER;
}

function numberProblems(environment: Environment): string[] {
  const wrong = (names: readonly string[], unit: string): string[] =>
    names
      .filter((name) => isWrongNumber(environment, name))
      .map((name) => `${name} must be a whole number${unit} from 1 to ${MAX_NUMBER}; the default is used`);
  const tooHigh = BOUNDED.filter(([name, bound, defaultBound]) => {
    if (isWrongNumber(environment, name)) return false;
    const limit = isWrongNumber(environment, bound) ? undefined : setValue(environment, bound);
    return Number(setValue(environment, name) ?? 0) > Number(limit ?? defaultBound);
  });
  return [
    ...wrong(MILLISECONDS, ' of milliseconds'),
    ...wrong(COUNTS, ''),
    ...tooHigh.map(([name, bound]) => `${name} must not exceed ${bound}, which is used instead`),
  ];
}

function booleanProblems(environment: Environment, name: string): string[] {
  const value = setValue(environment, name)?.toLowerCase();
  return value === undefined || value === 'true' || value === 'false'
    ? []
    : [`${name} must be true or false; false is used`];
}

function compressionProblems(environment: Environment, name: string): string[] {
  const compression = setValue(environment, name);
  if (compression === undefined || compression === 'gzip' || compression === 'none') return [];
  return [`${name} must be gzip or none; it has no effect`];
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
