import * as v from 'valibot';
import { positiveDuration } from '../../../engine/schema/fields.ts';
import { headers } from '../../../engine/schema/headers.ts';
import { retryOnFailure, sendingQueue } from '../../../engine/schema/delivery.ts';

const clientTlsConfig = v.pipe(
  v.strictObject({
    ca_file: v.optional(v.string()),
    cert_file: v.optional(v.string()),
    key_file: v.optional(v.string()),
    insecure_skip_verify: v.optional(v.boolean(), false),
  }),
  v.check(
    ({ cert_file, key_file }) => (cert_file === undefined) === (key_file === undefined),
    'needs cert_file and key_file together',
  ),
);

export const otlpHttpExporterConfig = v.pipe(
  v.strictObject({
    endpoint: v.optional(httpUrl()),
    traces_endpoint: v.optional(httpUrl()),
    metrics_endpoint: v.optional(httpUrl()),
    logs_endpoint: v.optional(httpUrl()),
    headers: v.optional(headers(), {}),
    timeout: v.optional(positiveDuration(), '30s'),
    compression: v.optional(v.picklist(['gzip', 'zstd', 'none', '']), 'gzip'),
    encoding: v.optional(v.literal('proto', 'must be proto: batches are forwarded in the bytes they came in'), 'proto'),
    tls: v.optional(clientTlsConfig, {}),
    sending_queue: sendingQueue(),
    retry_on_failure: retryOnFailure(),
  }),
  v.check(
    (config) =>
      [config.endpoint, config.traces_endpoint, config.metrics_endpoint, config.logs_endpoint].some(
        (url) => url !== undefined,
      ),
    'needs an endpoint, for example http://127.0.0.1:4318',
  ),
);

export type OtlpHttpExporterConfig = v.InferOutput<typeof otlpHttpExporterConfig>;
export type ClientTlsConfig = v.InferOutput<typeof clientTlsConfig>;

function httpUrl(): v.GenericSchema<string, string> {
  return v.pipe(
    v.string(),
    v.check(
      (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol),
      'must be an http:// or https:// URL, for example http://127.0.0.1:4318',
    ),
  );
}
