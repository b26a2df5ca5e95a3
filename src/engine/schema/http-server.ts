import * as v from 'valibot';
import { authConfig } from './extension-reference.ts';
import { duration, positiveInteger, type Endpoint } from './fields.ts';
import { headers } from './headers.ts';
import { serverTlsConfig } from './tls.ts';

const corsConfig = v.strictObject({
  allowed_origins: v.optional(v.array(v.string()), []),
  allowed_headers: v.optional(v.array(v.string()), []),
  exposed_headers: v.optional(v.array(v.string()), []),
  max_age: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
});

export type CorsConfig = v.InferOutput<typeof corsConfig>;

const middlewares = v.optional(
  v.pipe(v.array(v.unknown()), v.maxLength(0, 'must be empty: siphon does not support middlewares')),
);

/** The keys of any server, HTTP or gRPC, apart from `endpoint`. */
export const serverEntries = {
  transport: v.optional(v.literal('tcp', 'must be tcp: siphon does not listen on other sockets'), 'tcp'),
  auth: v.optional(authConfig),
  include_metadata: v.optional(v.boolean(), false),
  middlewares,
  max_connections: v.optional(positiveInteger(), 1000),
};

/** The keys of an HTTP server apart from `endpoint`, as in the stock Collector's `confighttp`. A timeout of 0 means no timeout. */
export const httpServerEntries = {
  ...serverEntries,
  tls: v.optional(serverTlsConfig),
  cors: v.optional(v.nullable(corsConfig, {})),
  response_headers: v.optional(headers(), {}),
  keep_alives_enabled: v.optional(v.boolean(), true),
  read_header_timeout: v.optional(duration(), '1m'),
  read_timeout: v.optional(duration(), '1m'),
  write_timeout: v.optional(duration(), 0),
  idle_timeout: v.optional(duration(), '1m'),
};

const httpServerConfig = v.strictObject(httpServerEntries);

export type HttpServerConfig = v.InferOutput<typeof httpServerConfig> & { readonly endpoint: Endpoint };

/** The settings of a server that has no key but its endpoint. */
export function withDefaults(address: Endpoint): HttpServerConfig {
  return { ...v.parse(v.strictObject(httpServerEntries), {}), endpoint: address };
}
