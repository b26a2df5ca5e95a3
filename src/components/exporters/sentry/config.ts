import * as v from 'valibot';
import { duration, positiveDuration, positiveInteger, secretUrl } from '../../../engine/schema/fields.ts';
import { retryOnFailure, sendingQueue } from '../../../engine/schema/delivery.ts';
import { proxyUrl } from '../../../engine/schema/http-url.ts';
import { clientTlsConfig } from '../../../engine/schema/tls.ts';
import { parseDsn } from './dsn.ts';
import { isEnvironment, isRelease } from './naming-rules.ts';

const dsnSchema = v.pipe(
  secretUrl(),
  v.check(
    (dsn) => dsn.isEmpty || parseDsn(dsn.reveal()) !== undefined,
    'must be a DSN of the form https://<key>@<host>/<project>, or empty to send nothing',
  ),
);

/** A service belongs to the first project with a pattern that matches the attribute of its resource. */
const routing = v.strictObject({
  attribute: v.optional(v.pipe(v.string(), v.nonEmpty()), 'service.name'),
  projects: v.pipe(
    v.array(
      v.strictObject({
        match: v.pipe(v.array(v.pipe(v.string(), v.nonEmpty())), v.minLength(1, 'must have a name or pattern')),
        dsn: v.nullable(dsnSchema, ''),
      }),
    ),
    v.minLength(1, 'must have a project'),
  ),
});

const BYTES_PER_MIB = 1024 * 1024;

/** Envelopes have any size up to 1 MiB, so their number would not limit memory. */
const queueOfBytes = v.pipe(
  sendingQueue({ queueSize: 32 * BYTES_PER_MIB, sizer: 'bytes' }),
  v.check(
    (queue) => queue?.sizer !== 'bytes' || queue.queueSize >= BYTES_PER_MIB,
    'has a queue_size below 1048576 bytes, the size of the largest envelope: choose a larger one, or another sizer',
  ),
);

export const sentryExporterConfig = v.strictObject({
  dsn: v.nullish(dsnSchema, ''),
  routing: v.optional(routing),
  environment: v.optional(
    v.pipe(v.string(), v.check(isEnvironment, 'must be at most 64 characters without spaces and slashes')),
  ),
  release: v.optional(
    v.pipe(v.string(), v.check(isRelease, 'must be at most 250 characters without spaces and slashes')),
  ),
  protocol: v.optional(v.picklist(['auto', 'spans', 'transactions']), 'auto'),
  send_default_pii: v.optional(v.boolean(), false),
  deny_attributes: v.optional(v.array(v.pipe(v.string(), v.nonEmpty())), []),
  source_roots: v.optional(v.array(v.pipe(v.string(), v.nonEmpty())), []),
  timeout: v.optional(positiveDuration(), '30s'),
  tls: v.optional(clientTlsConfig, {}),
  proxy_url: v.optional(proxyUrl()),
  trace_buffer: v.optional(
    v.strictObject({
      grace_period: v.optional(duration(), '1s'),
      max_age: v.optional(positiveDuration(), '5m'),
      max_spans: v.optional(positiveInteger(), 10_000),
      max_size_mib: v.optional(positiveInteger(), 32),
    }),
    {},
  ),
  sending_queue: queueOfBytes,
  retry_on_failure: retryOnFailure(),
});

export type SentryExporterConfig = v.InferOutput<typeof sentryExporterConfig>;
