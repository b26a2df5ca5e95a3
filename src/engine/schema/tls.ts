import * as v from 'valibot';
import { secret, timerDuration } from './fields.ts';
import type { Secret } from './secret.ts';

const VERSIONS = ['1.2', '1.3'] as const;

const version = v.pipe(
  v.union([v.string(), v.number()]),
  v.transform(String),
  v.picklist(VERSIONS, 'must be "1.2" or "1.3"'),
);

/** The names of Go's ciphers for TLS 1.2, and those of OpenSSL. */
export const CIPHERS: Readonly<Record<string, string>> = {
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
};

/** Always allowed with TLS 1.3, whatever `cipher_suites` contains, as in Go. */
export const CIPHERS_OF_TLS_1_3 = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
] as const;

const cipher = v.picklist(
  [...Object.keys(CIPHERS), ...CIPHERS_OF_TLS_1_3],
  'must be a cipher that Go considers safe, for example TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256',
);

/** The names of Go's curves, and those of OpenSSL. */
export const CURVES: Readonly<Record<string, string>> = {
  P256: 'P-256',
  P384: 'P-384',
  P521: 'P-521',
  X25519: 'X25519',
  X25519MLKEM768: 'X25519MLKEM768',
};

const curve = v.picklist(Object.keys(CURVES), `must be one of ${Object.keys(CURVES).join(', ')}`);

const file = v.pipe(
  v.string(),
  v.transform((path) => path || undefined),
);

const pem = v.pipe(
  secret(),
  v.transform((text) => (text.isEmpty ? undefined : text)),
);

/** The keys that `tls` of clients and servers have in common. An empty text is not a value. */
const commonEntries = {
  ca_file: v.optional(file),
  ca_pem: v.optional(pem),
  cert_file: v.optional(file),
  cert_pem: v.optional(pem),
  key_file: v.optional(file),
  key_pem: v.optional(pem),
  include_system_ca_certs_pool: v.optional(v.boolean(), false),
  min_version: v.optional(version, '1.2'),
  max_version: v.optional(version),
  cipher_suites: v.optional(v.array(cipher), []),
  curve_preferences: v.optional(v.array(curve), []),
  reload_interval: v.optional(timerDuration(), 0),
};

/** Certificates and keys, from files or from the configuration itself, and the limits of a connection. */
export interface TlsKeys {
  readonly ca_file?: string | undefined;
  readonly ca_pem?: Secret | undefined;
  readonly cert_file?: string | undefined;
  readonly cert_pem?: Secret | undefined;
  readonly key_file?: string | undefined;
  readonly key_pem?: Secret | undefined;
  readonly min_version: (typeof VERSIONS)[number];
  readonly max_version?: (typeof VERSIONS)[number] | undefined;
  readonly cipher_suites: readonly string[];
  readonly curve_preferences: readonly string[];
}

const hasNoneTwice = (tls: TlsKeys): boolean =>
  [
    [tls.ca_file, tls.ca_pem],
    [tls.cert_file, tls.cert_pem],
    [tls.key_file, tls.key_pem],
  ].every((pair) => pair.includes(undefined));
const TWICE = 'has a certificate or key both as a file and as PEM: remove one of them';

const isRange = ({ min_version, max_version = '1.3' }: TlsKeys): boolean => min_version <= max_version;
const NO_RANGE = 'has a min_version above its max_version';

const hasCert = (tls: TlsKeys): boolean => tls.cert_file !== undefined || tls.cert_pem !== undefined;
const hasKey = (tls: TlsKeys): boolean => tls.key_file !== undefined || tls.key_pem !== undefined;

/**
 * The key `tls` of a server. `ca_file`, `ca_pem` and `include_system_ca_certs_pool` are for clients; the stock Collector
 * accepts them here too.
 */
export const serverTlsConfig = v.pipe(
  v.strictObject({
    ...commonEntries,
    client_ca_file: v.optional(file),
    client_ca_file_reload: v.optional(v.boolean(), false),
  }),
  v.check((tls) => hasNoneTwice(tls), TWICE),
  v.check((tls) => isRange(tls), NO_RANGE),
  v.check((tls) => hasCert(tls) && hasKey(tls), 'needs cert_file and key_file, or cert_pem and key_pem'),
);

export type ServerTlsConfig = v.InferOutput<typeof serverTlsConfig>;

/** How often changed files of authorities are noticed with `client_ca_file_reload`. */
const AUTHORITIES_RELOAD_MS = 10_000;

/** After which time the files of a server are read again; 0 for never. */
export function reloadIntervalMs({ reload_interval, client_ca_file_reload }: ServerTlsConfig): number {
  return reload_interval === 0 && client_ca_file_reload ? AUTHORITIES_RELOAD_MS : reload_interval;
}

/** The files of a server that reads them only when it starts. */
export function serverFilesOnceRead(tls: ServerTlsConfig | undefined): readonly (string | undefined)[] {
  return tls === undefined || reloadIntervalMs(tls) > 0 ? [] : [tls.cert_file, tls.key_file, tls.client_ca_file];
}

/** The key `tls` of an HTTP client. */
export const clientTlsConfig = v.pipe(
  v.strictObject({
    ...commonEntries,
    // Only decides for addresses without a scheme, which siphon does not accept.
    insecure: v.optional(v.boolean()),
    insecure_skip_verify: v.optional(v.boolean(), false),
    server_name_override: v.optional(v.string(), ''),
  }),
  v.check((tls) => hasNoneTwice(tls), TWICE),
  v.check((tls) => isRange(tls), NO_RANGE),
  v.check((tls) => hasCert(tls) === hasKey(tls), 'needs cert_file and key_file, or cert_pem and key_pem, together'),
);

export type ClientTlsConfig = v.InferOutput<typeof clientTlsConfig>;

/** The files of a client that reads them only when it starts. */
export function clientFilesOnceRead(tls: ClientTlsConfig): readonly (string | undefined)[] {
  return tls.reload_interval > 0 ? [] : [tls.ca_file, tls.cert_file, tls.key_file];
}
