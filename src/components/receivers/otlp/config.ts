import * as v from 'valibot';
import {
  duration,
  endpoint,
  nonNegativeInteger,
  positiveInteger,
  timerDuration,
} from '../../../engine/schema/fields.ts';
import { httpServerEntries, serverEntries } from '../../../engine/schema/http-server.ts';
import { serverTlsConfig } from '../../../engine/schema/tls.ts';
import { DEFAULT_MESSAGE_LIMITS } from '../../../engine/otlp/inspect-request.ts';
import { defaultSpoolDirectory } from '../../../engine/otlp/spool-file.ts';
import { ALGORITHMS } from './codings/decompress.ts';

const urlPath = (path: string) =>
  v.optional(
    v.pipe(
      v.string(),
      v.nonEmpty('must not be empty'),
      v.transform((text) => (text.startsWith('/') ? text : `/${text}`)),
    ),
    path,
  );

const DEFAULT_BODY_BYTES = 20 * 1024 * 1024;

const compressionAlgorithms = v.pipe(
  v.nullable(v.array(v.picklist(ALGORITHMS, `must be one of ${ALGORITHMS.map((name) => name || '""').join(', ')}`))),
  v.transform((names) => names ?? ALGORITHMS),
);

const httpConfig = v.pipe(
  v.strictObject({
    endpoint: v.optional(endpoint('127.0.0.1:4318'), '127.0.0.1:4318'),
    ...httpServerEntries,
    traces_url_path: urlPath('/v1/traces'),
    metrics_url_path: urlPath('/v1/metrics'),
    logs_url_path: urlPath('/v1/logs'),
    profiles_url_path: v.optional(v.string()),
    max_request_body_size: v.pipe(
      v.optional(nonNegativeInteger(), DEFAULT_BODY_BYTES),
      v.transform((bytes) => bytes || DEFAULT_BODY_BYTES),
    ),
    compression_algorithms: v.optional(compressionAlgorithms, null),
    spool_directory: v.optional(v.pipe(v.string(), v.nonEmpty('must not be empty'))),
  }),
  v.check(
    ({ traces_url_path, metrics_url_path, logs_url_path }) =>
      new Set([traces_url_path, metrics_url_path, logs_url_path]).size === 3,
    'needs a different path for each signal',
  ),
);

/** 0 means no limit; for `time` it means no pings. */
const keepaliveConfig = v.strictObject({
  server_parameters: v.optional(
    v.strictObject({
      max_connection_idle: v.optional(timerDuration(), 0),
      max_connection_age: v.optional(timerDuration(), 0),
      max_connection_age_grace: v.optional(timerDuration(), 0),
      time: v.optional(timerDuration(), '2h'),
      timeout: v.optional(timerDuration(), '20s'),
    }),
    {},
  ),
  enforcement_policy: v.optional(
    v.strictObject({
      min_time: v.optional(duration(), '5m'),
      permit_without_stream: v.optional(v.boolean(), false),
    }),
  ),
});

const DEFAULT_MESSAGE_MIB = 4;
/** The least that a server should allow. https://www.rfc-editor.org/rfc/rfc9113#SETTINGS_MAX_CONCURRENT_STREAMS */
const DEFAULT_STREAMS = 100;

const grpcConfig = v.strictObject({
  endpoint: v.optional(endpoint('127.0.0.1:4317'), '127.0.0.1:4317'),
  ...serverEntries,
  max_recv_msg_size_mib: v.pipe(
    v.optional(nonNegativeInteger(), DEFAULT_MESSAGE_MIB),
    v.transform((mib) => mib || DEFAULT_MESSAGE_MIB),
  ),
  read_buffer_size: v.optional(nonNegativeInteger()),
  write_buffer_size: v.optional(nonNegativeInteger()),
  max_concurrent_streams: v.optional(
    v.pipe(positiveInteger(), v.maxValue(2 ** 32 - 1, 'must be at most 4294967295')),
    DEFAULT_STREAMS,
  ),
  keepalive: v.optional(keepaliveConfig, {}),
  tls: v.optional(serverTlsConfig),
});

/** A protocol is on if its key exists, also without a value. */
export const otlpReceiverConfig = v.strictObject({
  protocols: v.pipe(
    v.strictObject({
      http: v.optional(v.nullable(httpConfig, {})),
      grpc: v.optional(v.nullable(grpcConfig, {})),
    }),
    v.check(({ http, grpc }) => http !== undefined || grpc !== undefined, 'needs http, grpc or both'),
  ),
  max_messages_per_request: v.optional(positiveInteger(), DEFAULT_MESSAGE_LIMITS.perRequest),
  max_messages_per_item: v.optional(positiveInteger(), DEFAULT_MESSAGE_LIMITS.perItem),
  max_in_flight_mib: v.optional(positiveInteger()),
});

export type OtlpReceiverConfig = v.InferOutput<typeof otlpReceiverConfig>;
export type HttpConfig = v.InferOutput<typeof httpConfig>;
export type GrpcConfig = v.InferOutput<typeof grpcConfig>;
export type KeepaliveConfig = v.InferOutput<typeof keepaliveConfig>;

const MIB = 1024 * 1024;
const DEFAULT_IN_FLIGHT_BYTES = 64 * MIB;
/** By default at most this part of the container's memory. */
const IN_FLIGHT_SHARE = 1 / 8;

/** The memory for all requests in flight; always enough for the largest. */
export function maxInFlightBytes({ max_in_flight_mib: mib, protocols: { http, grpc } }: OtlpReceiverConfig): number {
  const containerBytes = process.constrainedMemory() || Infinity;
  const wanted = mib === undefined ? Math.min(DEFAULT_IN_FLIGHT_BYTES, containerBytes * IN_FLIGHT_SHARE) : mib * MIB;
  return Math.max(wanted, http?.max_request_body_size ?? 0, (grpc?.max_recv_msg_size_mib ?? 0) * MIB);
}

/** Where services of the same user leave their last requests if nothing listens; undefined for `none`. */
export function spoolDirectory({ spool_directory: named }: HttpConfig): string | undefined {
  return named === 'none' ? undefined : (named ?? defaultSpoolDirectory());
}

/** siphon reads nothing of a request but its telemetry, and answers are a few bytes. */
export function idleHttpKeys(config: HttpConfig): Readonly<Record<string, boolean>> {
  const { include_metadata, write_timeout, profiles_url_path } = config;
  return { include_metadata, write_timeout: write_timeout > 0, profiles_url_path: profiles_url_path !== undefined };
}

/** Node sizes its buffers itself. */
export function idleGrpcKeys(config: GrpcConfig): Readonly<Record<string, boolean>> {
  return {
    include_metadata: config.include_metadata,
    read_buffer_size: config.read_buffer_size !== undefined,
    write_buffer_size: config.write_buffer_size !== undefined,
  };
}
