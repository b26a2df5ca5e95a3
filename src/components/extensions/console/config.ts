import * as v from 'valibot';
import { isLoopback } from '../../../engine/net/announce.ts';
import { endpoint, positiveInteger } from '../../../engine/schema/fields.ts';
import { httpServerEntries } from '../../../engine/schema/http-server.ts';

/** The page is for people, never for scripts of other sites. */
const { cors: _, ...serverEntries } = httpServerEntries;

const EXPOSED =
  'must be an address that only this machine can reach, unless auth and tls are set: the console shows telemetry';

export const consoleConfig = v.optional(
  v.pipe(
    v.strictObject({
      endpoint: v.optional(endpoint('127.0.0.1:8001'), '127.0.0.1:8001'),
      ...serverEntries,
      max_connections: v.optional(positiveInteger(), 100),
      allowed_hosts: v.optional(v.array(v.pipe(v.string(), v.nonEmpty())), []),
    }),
    v.forward(
      v.partialCheck(
        [['endpoint'], ['auth'], ['tls']],
        ({ endpoint: { host }, auth, tls }) => isLoopback(host) || (auth !== undefined && tls !== undefined),
        EXPOSED,
      ),
      ['endpoint'],
    ),
  ),
  {},
);

export type ConsoleConfig = v.InferOutput<typeof consoleConfig>;

/** siphon reads no metadata, and answers have a timeout of their own. */
export function idleKeys({ include_metadata, write_timeout }: ConsoleConfig): Readonly<Record<string, boolean>> {
  return { include_metadata, write_timeout: write_timeout > 0 };
}
