import * as v from 'valibot';
import { endpoint, positiveDuration, positiveInteger } from '../../../engine/schema/fields.ts';
import { storageReference } from '../../../engine/schema/extension-reference.ts';
import { httpServerEntries } from '../../../engine/schema/http-server.ts';

const LEAST_MIB = 4;

export const telemetryStoreConfig = v.optional(
  v.strictObject({
    endpoint: v.optional(endpoint('127.0.0.1:13134'), '127.0.0.1:13134'),
    ...httpServerEntries,
    max_connections: v.optional(positiveInteger(), 100),
    allowed_hosts: v.optional(v.array(v.pipe(v.string(), v.nonEmpty())), []),
    max_size_mib: v.optional(v.pipe(positiveInteger(), v.minValue(LEAST_MIB, 'must be at least 4'))),
    slow_threshold: v.optional(positiveDuration(), '1s'),
    send_default_pii: v.optional(v.boolean(), false),
    storage: v.optional(storageReference),
    deny_attributes: v.optional(v.array(v.pipe(v.string(), v.nonEmpty())), []),
  }),
  {},
);

export type TelemetryStoreConfig = v.InferOutput<typeof telemetryStoreConfig>;

const BYTES_PER_MIB = 1024 * 1024;
const DEFAULT_MIB = 48;
/** By default at most this part of the container's memory. */
const SHARE = 1 / 16;

export function maxBytes({ max_size_mib: mib }: TelemetryStoreConfig): number {
  const containerBytes = process.constrainedMemory() || Infinity;
  const automatic = Math.max(Math.min(DEFAULT_MIB * BYTES_PER_MIB, containerBytes * SHARE), LEAST_MIB * BYTES_PER_MIB);
  return mib === undefined ? Math.floor(automatic) : mib * BYTES_PER_MIB;
}

export function idleKeys({ include_metadata, write_timeout }: TelemetryStoreConfig): Readonly<Record<string, boolean>> {
  return { include_metadata, write_timeout: write_timeout > 0 };
}
