import { expect, it } from 'vitest';
import { environmentProblems } from './environment-problems.ts';

it.each([
  [
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'localhost:4318' },
    'OTEL_EXPORTER_OTLP_ENDPOINT must start with http:// or https://',
  ],
  [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'ftp://user:secret@a' }, 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT must start with'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://user:secret@a:port' }, 'OTEL_EXPORTER_OTLP_ENDPOINT must be a URL'],
  [{ OTEL_TRACES_SAMPLER: 'sometimes' }, 'OTEL_TRACES_SAMPLER must be one of always_on, '],
  [{ OTEL_TRACES_SAMPLER: 'TraceIdRatio', OTEL_TRACES_SAMPLER_ARG: '10' }, 'OTEL_TRACES_SAMPLER_ARG must be a number'],
  [{ OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '10%' }, 'OTEL_TRACES_SAMPLER_ARG must be a number'],
  [{ OTEL_METRICS_EXEMPLAR_FILTER: 'always_on' }, 'OTEL_METRICS_EXEMPLAR_FILTER must be trace_based or always_off'],
  [{ SIPHON_FLUSH_TIMEOUT_MS: '2s' }, 'SIPHON_FLUSH_TIMEOUT_MS must be a whole number'],
  [{ SIPHON_PROPAGATE_TO_HOSTS: 'https://api.example.com' }, 'SIPHON_PROPAGATE_TO_HOSTS must be hosts'],
  [{ SIPHON_PROPAGATE_TO_HOSTS: 'api.example.com:8080' }, 'SIPHON_PROPAGATE_TO_HOSTS must be hosts'],
  [{ OTEL_PROPAGATORS: 'tracecontext,xray' }, 'OTEL_PROPAGATORS must be of tracecontext, '],
  [{ OTEL_TRACES_EXPORTER: 'jaeger' }, 'OTEL_TRACES_EXPORTER must be of otlp, '],
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'http' }, 'OTEL_EXPORTER_OTLP_PROTOCOL must be of grpc, '],
  [{ OTEL_CONFIG_FILE: '/secret/otel.yaml' }, 'OTEL_CONFIG_FILE is not read here'],
  [{ OTEL_METRIC_EXPORT_INTERVAL: '15s' }, 'OTEL_METRIC_EXPORT_INTERVAL must be a whole number of milliseconds from 1'],
  [{ OTEL_METRIC_EXPORT_INTERVAL: '-5' }, 'OTEL_METRIC_EXPORT_INTERVAL must be a whole number of milliseconds from 1'],
  [{ OTEL_BSP_SCHEDULE_DELAY: 'abc' }, 'OTEL_BSP_SCHEDULE_DELAY must be a whole number of milliseconds from 1'],
  [{ OTEL_BSP_SCHEDULE_DELAY: 'Infinity' }, 'OTEL_BSP_SCHEDULE_DELAY must be a whole number of milliseconds from 1'],
  [{ OTEL_EXPORTER_OTLP_TIMEOUT: 'ten' }, 'OTEL_EXPORTER_OTLP_TIMEOUT must be a whole number of milliseconds from 1'],
  [{ OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '0' }, 'OTEL_EXPORTER_OTLP_TRACES_TIMEOUT must be a whole number of milli'],
  [
    { OTEL_BSP_MAX_QUEUE_SIZE: '2k' },
    'OTEL_BSP_MAX_QUEUE_SIZE must be a whole number from 1 to 2147483647; the default',
  ],
  [
    { OTEL_METRIC_EXPORT_TIMEOUT: '20000', OTEL_METRIC_EXPORT_INTERVAL: '15000' },
    'OTEL_METRIC_EXPORT_TIMEOUT must not exceed OTEL_METRIC_EXPORT_INTERVAL, which is used instead',
  ],
  [{ OTEL_METRIC_EXPORT_TIMEOUT: '60001' }, 'OTEL_METRIC_EXPORT_TIMEOUT must not exceed OTEL_METRIC_EXPORT_INTERVAL'],
  [
    { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '4096' },
    'OTEL_BSP_MAX_EXPORT_BATCH_SIZE must not exceed OTEL_BSP_MAX_QUEUE_SIZE',
  ],
  [{ SIPHON_OBSERVE_WORKERS: '1' }, 'SIPHON_OBSERVE_WORKERS must be true or false; false is used'],
  [{ SIPHON_CONSOLE_TRACE_IDS: 'yes' }, 'SIPHON_CONSOLE_TRACE_IDS must be true or false'],
  [{ SIPHON_SEND_PERSONAL_DATA: '1' }, 'SIPHON_SEND_PERSONAL_DATA must be true or false'],
  [{ OTEL_SDK_DISABLED: 'yes' }, 'OTEL_SDK_DISABLED must be true or false'],
  [{ OTEL_EXPORTER_OTLP_COMPRESSION: 'zstd' }, 'OTEL_EXPORTER_OTLP_COMPRESSION must be gzip or none'],
  [{ OTEL_LOG_LEVEL: 'loud' }, 'OTEL_LOG_LEVEL must be one of none, error, '],
  [{ SIPHON_PROPAGATE_TO_HOSTS: '*.example.com' }, 'SIPHON_PROPAGATE_TO_HOSTS must be hosts'],
])('reports %j in one line without its secrets', (environment, text) => {
  const problems = environmentProblems(environment);
  expect(problems).toEqual([expect.stringContaining(text)]);
  expect(problems[0]).not.toMatch(/secret|\n/);
});

it('accepts valid and blank values', () => {
  const environment = {
    OTEL_EXPORTER_OTLP_ENDPOINT: ' ',
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'HTTPS://collector.example:4318/v1/metrics',
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'localhost:4317',
    OTEL_TRACES_SAMPLER: 'ParentBased_TraceIdRatio',
    OTEL_TRACES_SAMPLER_ARG: '0.1',
    OTEL_METRICS_EXEMPLAR_FILTER: 'Always_Off',
    OTEL_CONFIG_FILE: ' ',
    OTEL_PROPAGATORS: 'b3, tracecontext',
    OTEL_METRICS_EXPORTER: 'prometheus,otlp',
    SIPHON_FLUSH_TIMEOUT_MS: '0',
    SIPHON_OBSERVE_WORKERS: ' False',
    SIPHON_SEND_PERSONAL_DATA: 'TRUE',
    SIPHON_CONSOLE_TRACE_IDS: '',
    OTEL_METRIC_EXPORT_INTERVAL: '15000',
    OTEL_METRIC_EXPORT_TIMEOUT: '15000',
    OTEL_EXPORTER_OTLP_TIMEOUT: ' 5e3 ',
    OTEL_BSP_MAX_QUEUE_SIZE: '100',
    OTEL_BSP_SCHEDULE_DELAY: ' ',
    OTEL_EXPORTER_OTLP_COMPRESSION: ' gzip',
    OTEL_LOG_LEVEL: 'Warn',
    SIPHON_PROPAGATE_TO_HOSTS: 'api.example.com, .internal,[::1],10.0.0.1,a_b,',
  };
  expect(environmentProblems(environment)).toEqual([]);
});
