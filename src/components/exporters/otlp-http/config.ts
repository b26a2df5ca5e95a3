import * as v from 'valibot';
import { duration, nonNegativeInteger, positiveDuration, timerDuration } from '../../../engine/schema/fields.ts';
import { COMPRESSIONS, encodingOf, type Compression } from './compression.ts';
import { clientTlsConfig } from '../../../engine/schema/tls.ts';
import { headers } from '../../../engine/schema/headers.ts';
import { httpUrl, proxyUrl } from '../../../engine/schema/http-url.ts';
import { retryOnFailure, sendingQueue } from '../../../engine/schema/delivery.ts';

export const otlpHttpExporterConfig = v.pipe(
  v.strictObject({
    endpoint: v.optional(httpUrl()),
    traces_endpoint: v.optional(httpUrl()),
    metrics_endpoint: v.optional(httpUrl()),
    logs_endpoint: v.optional(httpUrl()),
    headers: v.optional(headers(), {}),
    timeout: v.optional(positiveDuration(), '30s'),
    compression: v.optional(v.picklist(COMPRESSIONS), 'gzip'),
    compression_params: v.optional(v.strictObject({ level: v.optional(v.pipe(v.number(), v.integer()), 0) }), {}),
    encoding: v.optional(v.literal('proto', 'must be proto: batches are forwarded in the bytes they came in'), 'proto'),
    tls: v.optional(clientTlsConfig, {}),
    proxy_url: v.optional(proxyUrl()),
    max_conns_per_host: v.optional(nonNegativeInteger(), 0),
    idle_conn_timeout: v.optional(timerDuration(), '90s'),
    disable_keep_alives: v.optional(v.boolean(), false),
    max_idle_conns: v.optional(nonNegativeInteger()),
    max_idle_conns_per_host: v.optional(nonNegativeInteger()),
    force_attempt_http2: v.optional(v.boolean()),
    http2_read_idle_timeout: v.optional(duration()),
    http2_ping_timeout: v.optional(duration()),
    read_buffer_size: v.optional(nonNegativeInteger()),
    write_buffer_size: v.optional(nonNegativeInteger()),
    profiles_endpoint: v.optional(httpUrl()),
    sending_queue: sendingQueue(),
    retry_on_failure: retryOnFailure(),
  }),
  v.check(
    (config) =>
      [config.endpoint, config.traces_endpoint, config.metrics_endpoint, config.logs_endpoint].some(
        (url) => url !== undefined,
      ),
    'needs an endpoint, for example http://127.0.0.1:4318',
  ),
  v.check(
    ({ compression, compression_params: { level } }) => isLevel(compression, level),
    'has a compression_params::level that its compression does not have: -1 to 9 for gzip, deflate and zlib, 1 to 22 for zstd',
  ),
);

/** siphon speaks HTTP/1.1 with a connection for each request that is in flight, and has no profiles. */
const IDLE_KEYS = [
  'max_idle_conns',
  'max_idle_conns_per_host',
  'force_attempt_http2',
  'http2_read_idle_timeout',
  'http2_ping_timeout',
  'read_buffer_size',
  'write_buffer_size',
  'profiles_endpoint',
] as const;

export function idleKeys(config: OtlpHttpExporterConfig): Readonly<Record<string, boolean>> {
  return Object.fromEntries(IDLE_KEYS.map((key) => [key, config[key] !== undefined]));
}

export type OtlpHttpExporterConfig = v.InferOutput<typeof otlpHttpExporterConfig>;

function isLevel(compression: Compression, level: number): boolean {
  if (encodingOf(compression) === undefined) return level === 0;
  return compression === 'zstd' ? level >= 0 && level <= 22 : level >= -1 && level <= 9;
}
