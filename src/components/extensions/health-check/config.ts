import * as v from 'valibot';
import { endpoint, positiveInteger } from '../../../engine/schema/fields.ts';
import { httpServerEntries } from '../../../engine/schema/http-server.ts';

export const healthCheckConfig = v.nullish(
  v.strictObject({
    endpoint: v.optional(endpoint('127.0.0.1:13133'), '127.0.0.1:13133'),
    ...httpServerEntries,
    max_connections: v.optional(positiveInteger(), 100),
    path: v.optional(v.pipe(v.string(), v.startsWith('/', 'must start with /')), '/'),
    // The stock extension ignores it, too.
    check_collector_pipeline: v.optional(
      v.strictObject({
        enabled: v.optional(v.boolean(), false),
        interval: v.optional(v.string()),
        exporter_failure_threshold: v.optional(v.number()),
      }),
      {},
    ),
    response_body: v.optional(
      v.strictObject({
        healthy: v.optional(v.string(), ''),
        unhealthy: v.optional(v.string(), ''),
      }),
    ),
  }),
  {},
);

export type HealthCheckConfig = v.InferOutput<typeof healthCheckConfig>;

/** siphon reads no headers, and the page is short. */
export function idleKeys({ include_metadata, write_timeout }: HealthCheckConfig): Readonly<Record<string, boolean>> {
  return { include_metadata, write_timeout: write_timeout > 0 };
}
