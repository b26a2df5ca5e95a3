import * as v from 'valibot';
import { endpoint } from '../../../engine/schema/fields.ts';
import { httpServerEntries } from '../../../engine/schema/http-server.ts';

export const zpagesConfig = v.optional(
  v.strictObject({
    endpoint: v.optional(endpoint('localhost:55679'), 'localhost:55679'),
    ...httpServerEntries,
    expvar: v.optional(v.strictObject({ enabled: v.optional(v.boolean(), false) }), {}),
  }),
  {},
);

export type ZpagesConfig = v.InferOutput<typeof zpagesConfig>;

/** `expvar` shows variables of Go. */
export function idleKeys({ expvar, include_metadata, write_timeout }: ZpagesConfig): Readonly<Record<string, boolean>> {
  return { 'expvar::enabled': expvar.enabled, include_metadata, write_timeout: write_timeout > 0 };
}
