import * as v from 'valibot';
import { nonNegativeInteger, positiveDuration, positiveInteger } from '../../../engine/schema/fields.ts';

const compaction = v.strictObject({
  on_start: v.optional(v.boolean(), false),
  on_rebound: v.optional(v.boolean(), false),
  rebound_needed_threshold_mib: v.optional(positiveInteger(), 100),
  rebound_trigger_threshold_mib: v.optional(positiveInteger(), 10),
  check_interval: v.optional(positiveDuration(), '5s'),
  directory: v.optional(v.string()),
  max_transaction_size: v.optional(nonNegativeInteger()),
  cleanup_on_start: v.optional(v.boolean(), false),
});

/** The keys and defaults of the stock extension that make sense for SQLite. */
export const fileStorageConfig = v.nullish(
  v.strictObject({
    directory: v.optional(v.pipe(v.string(), v.nonEmpty('must name a directory')), '/var/lib/otelcol/file_storage'),
    create_directory: v.optional(v.boolean(), false),
    directory_permissions: v.optional(
      v.pipe(
        v.string(),
        v.regex(/^0?[0-7]{3}$/, 'must be permissions in octal, for example 0750'),
        v.transform((octal) => Number.parseInt(octal, 8)),
      ),
      '0750',
    ),
    timeout: v.optional(positiveDuration(), '1s'),
    fsync: v.optional(v.boolean(), false),
    recreate: v.optional(v.boolean(), true),
    max_size_mib: v.optional(positiveInteger(), 1024),
    compaction: v.optional(compaction, {}),
  }),
  {},
);

export type FileStorageConfig = v.InferOutput<typeof fileStorageConfig>;
/** SQLite compacts in place, in one transaction, and needs no cleanup. */
export function idleKeys({ compaction: keys }: FileStorageConfig): Readonly<Record<string, boolean>> {
  return {
    'compaction::directory': keys.directory !== undefined,
    'compaction::max_transaction_size': keys.max_transaction_size !== undefined,
    'compaction::cleanup_on_start': keys.cleanup_on_start,
  };
}

export type CompactionConfig = FileStorageConfig['compaction'];
