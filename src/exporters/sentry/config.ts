import * as v from 'valibot';
import { duration, positiveDuration, positiveInteger, secret } from '../../collector/config/fields.ts';
import { retryOnFailure, sendingQueue } from '../../collector/sending-queue/config.ts';
import { parseDsn } from './dsn.ts';
import { isEnvironment, isRelease } from './naming-rules.ts';

const dsnSchema = v.pipe(
  secret(),
  v.check(
    (dsn) => dsn.isEmpty || parseDsn(dsn.reveal()) !== undefined,
    'must be a DSN of the form https://<key>@<host>/<project>, or empty to send nothing',
  ),
);

export const configSchema = v.strictObject({
  dsn: v.nullish(dsnSchema, ''),
  environment: v.optional(
    v.pipe(v.string(), v.check(isEnvironment, 'must be at most 64 characters without spaces and slashes')),
  ),
  release: v.optional(
    v.pipe(v.string(), v.check(isRelease, 'must be at most 250 characters without spaces and slashes')),
  ),
  timeout: v.optional(positiveDuration(), '30s'),
  trace_buffer: v.optional(
    v.strictObject({
      grace_period: v.optional(duration(), '1s'),
      max_age: v.optional(positiveDuration(), '5m'),
      max_spans: v.optional(positiveInteger(), 10_000),
      max_size_mib: v.optional(positiveInteger(), 32),
    }),
    {},
  ),
  sending_queue: sendingQueue(),
  retry_on_failure: retryOnFailure(),
});

export type SentryExporterConfig = v.InferOutput<typeof configSchema>;
