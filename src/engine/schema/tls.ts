import * as v from 'valibot';
import { timerDuration } from './fields.ts';

const version = v.pipe(
  v.union([v.string(), v.number()]),
  v.transform(String),
  v.picklist(['1.2', '1.3'], 'must be "1.2" or "1.3"'),
);

/** The key `tls` of a server. */
export const serverTlsConfig = v.strictObject({
  cert_file: v.pipe(v.string(), v.nonEmpty('must name a file')),
  key_file: v.pipe(v.string(), v.nonEmpty('must name a file')),
  client_ca_file: v.optional(v.pipe(v.string(), v.nonEmpty('must name a file'))),
  min_version: v.optional(version, '1.2'),
  reload_interval: v.optional(timerDuration(), 0),
});

export type ServerTlsConfig = v.InferOutput<typeof serverTlsConfig>;
