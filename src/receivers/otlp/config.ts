import * as v from 'valibot';
import { authSchema } from '../../collector/authenticator.ts';
import { duration, endpoint, positiveDuration, positiveInteger } from '../../collector/config/fields.ts';
import { tlsSchema } from '../../collector/net/tls.ts';

const urlPath = (path: string) =>
  v.optional(
    v.pipe(
      v.string(),
      v.nonEmpty('must not be empty'),
      v.transform((text) => (text.startsWith('/') ? text : `/${text}`)),
    ),
    path,
  );

const corsSchema = v.strictObject({
  allowed_origins: v.optional(v.array(v.string()), []),
  allowed_headers: v.optional(v.array(v.string()), []),
  exposed_headers: v.optional(v.array(v.string()), []),
  max_age: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
});

/** Longer ones overflow the timers of Node. */
const timerMs = v.pipe(duration(), v.maxValue(2 ** 31 - 1, 'must be at most 596h'));

/** In siphon nothing reads what a request carried besides its telemetry. */
const includeMetadata = v.optional(
  v.literal(false, 'must be false or left out: nothing in siphon uses the headers of a request'),
  false,
);

const httpSchema = v.pipe(
  v.strictObject({
    endpoint: v.optional(endpoint(), '127.0.0.1:4318'),
    traces_url_path: urlPath('/v1/traces'),
    metrics_url_path: urlPath('/v1/metrics'),
    logs_url_path: urlPath('/v1/logs'),
    max_request_body_size: v.optional(positiveInteger(), 20 * 1024 * 1024),
    cors: v.optional(v.nullable(corsSchema, {})),
    tls: v.optional(tlsSchema),
    auth: v.optional(authSchema),
    include_metadata: includeMetadata,
    keep_alives_enabled: v.optional(v.boolean(), true),
    read_header_timeout: v.optional(positiveDuration(), '1m'),
    read_timeout: v.optional(positiveDuration(), '1m'),
    idle_timeout: v.optional(duration(), '1m'),
  }),
  v.check(
    ({ traces_url_path, metrics_url_path, logs_url_path }) =>
      new Set([traces_url_path, metrics_url_path, logs_url_path]).size === 3,
    'needs a different path for each signal',
  ),
);

/** What is 0 or absent is without limit, but for `time` (no pings) and `timeout`. */
const keepaliveSchema = v.strictObject({
  server_parameters: v.optional(
    v.strictObject({
      max_connection_idle: v.optional(timerMs, 0),
      max_connection_age: v.optional(timerMs, 0),
      max_connection_age_grace: v.optional(timerMs, 0),
      time: v.optional(timerMs, '2h'),
      timeout: v.optional(timerMs, '20s'),
    }),
    {},
  ),
});

const grpcSchema = v.strictObject({
  endpoint: v.optional(endpoint(), '127.0.0.1:4317'),
  max_recv_msg_size_mib: v.optional(positiveInteger(), 4),
  max_concurrent_streams: v.optional(v.pipe(positiveInteger(), v.maxValue(2 ** 32 - 1, 'must be at most 4294967295'))),
  keepalive: v.optional(keepaliveSchema, {}),
  auth: v.optional(authSchema),
  include_metadata: includeMetadata,
  tls: v.optional(
    v.pipe(
      tlsSchema,
      v.check(
        ({ min_version }) => min_version === '1.2',
        'cannot have a min_version: the gRPC library takes 1.2 and 1.3',
      ),
    ),
  ),
});

/** A protocol is on if its key is there, also without a value. */
export const configSchema = v.strictObject({
  protocols: v.pipe(
    v.strictObject({
      http: v.optional(v.nullable(httpSchema, {})),
      grpc: v.optional(v.nullable(grpcSchema, {})),
    }),
    v.check(({ http, grpc }) => http !== undefined || grpc !== undefined, 'needs http, grpc or both'),
  ),
});

export type OtlpReceiverConfig = v.InferOutput<typeof configSchema>;
export type HttpConfig = v.InferOutput<typeof httpSchema>;
export type GrpcConfig = v.InferOutput<typeof grpcSchema>;
export type KeepaliveConfig = v.InferOutput<typeof keepaliveSchema>;
export type CorsConfig = v.InferOutput<typeof corsSchema>;
