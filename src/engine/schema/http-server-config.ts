import * as v from 'valibot';
import { authSchema } from '../authenticator.ts';
import { duration, endpoint } from './fields.ts';
import { headers } from '../net/headers.ts';
import { tlsSchema } from '../net/tls.ts';

const corsSchema = v.strictObject({
  allowed_origins: v.optional(v.array(v.string()), []),
  allowed_headers: v.optional(v.array(v.string()), []),
  exposed_headers: v.optional(v.array(v.string()), []),
  max_age: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 0),
});

export type CorsConfig = v.InferOutput<typeof corsSchema>;

const middlewares = v.optional(
  v.pipe(v.array(v.unknown()), v.maxLength(0, 'must be empty: siphon has no middlewares')),
);

/** What a server of HTTP or gRPC takes on its address, besides `endpoint`. */
export const serverEntries = {
  transport: v.optional(v.literal('tcp', 'must be tcp: siphon listens on no other sockets'), 'tcp'),
  auth: v.optional(authSchema),
  include_metadata: v.optional(v.boolean(), false),
  middlewares,
};

/** The stock Collector's `confighttp` for servers, which receivers and exporters share, besides `endpoint`. 0 is no timeout. */
export const httpServerEntries = {
  ...serverEntries,
  tls: v.optional(tlsSchema),
  cors: v.optional(v.nullable(corsSchema, {})),
  response_headers: v.optional(headers(), {}),
  keep_alives_enabled: v.optional(v.boolean(), true),
  read_header_timeout: v.optional(duration(), '1m'),
  read_timeout: v.optional(duration(), '1m'),
  write_timeout: v.optional(duration(), 0),
  idle_timeout: v.optional(duration(), '1m'),
};

const httpServerSchema = v.strictObject({ endpoint: endpoint(), ...httpServerEntries });

export type HttpServerConfig = v.InferOutput<typeof httpServerSchema>;
