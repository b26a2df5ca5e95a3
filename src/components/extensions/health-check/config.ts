import * as v from 'valibot';
import { endpoint } from '../../../engine/schema/fields.ts';

export const healthCheckConfig = v.nullish(
  v.strictObject({
    endpoint: v.optional(endpoint(), '127.0.0.1:13133'),
    path: v.optional(v.pipe(v.string(), v.startsWith('/', 'must start with /')), '/'),
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
