import { isIP } from 'node:net';
import {
  checkServerIdentity,
  createSecureContext,
  getCACertificates,
  type ConnectionOptions,
  type SecureContext,
  type SecureContextOptions,
} from 'node:tls';
import type { ClientTlsConfig } from '../schema/tls.ts';
import { readAuthorities, readIdentity } from './tls-files.ts';

/** How a client connects to servers over TLS. Without a context, it trusts the authorities of Node and of the system. */
export type ClientTls = Pick<
  ConnectionOptions,
  'secureContext' | 'rejectUnauthorized' | 'servername' | 'checkServerIdentity'
>;

/**
 * Reads the files of the key `tls`.
 *
 * @throws Error with the key and the file, if one cannot be read or used.
 */
export async function readClientTls(tls: ClientTlsConfig): Promise<ClientTls> {
  const identity = await readIdentity(tls);
  const ca = await readAuthorities('ca', tls.ca_file, tls.ca_pem);
  return {
    ...contextOf({ ...identity, ...(ca === undefined ? {} : { ca }) }, tls.include_system_ca_certs_pool),
    rejectUnauthorized: !tls.insecure_skip_verify,
    ...(tls.server_name_override === '' ? {} : expecting(tls.server_name_override)),
  };
}

/** For a connection or an agent. */
export function connectionOptions(tls: ClientTls): ClientTls {
  return { ...tls, secureContext: tls.secureContext ?? defaultContext() };
}

let cachedDefault: SecureContext | undefined;

/** Takes tens of milliseconds, so it is created when it is needed. */
function defaultContext(): SecureContext {
  cachedDefault ??= createSecureContext(withAuthorities({}));
  return cachedDefault;
}

/** Absent if nothing differs from the default. */
function contextOf(options: SecureContextOptions, withSystem: boolean): Pick<ClientTls, 'secureContext'> {
  const { minVersion, ...others } = options;
  if (minVersion === 'TLSv1.2' && Object.keys(others).length === 0) return {};
  const ca = withSystem && typeof options.ca === 'string' ? { ca: [options.ca, ...getCACertificates('system')] } : {};
  try {
    return { secureContext: createSecureContext(withAuthorities({ ...options, ...ca })) };
  } catch (cause) {
    throw new Error(`tls: the certificates or keys cannot be used: ${(cause as Error).message}`, { cause });
  }
}

/** Adds the authorities of Node and of the system, unless there are others. Node has read its own already. */
function withAuthorities(options: SecureContextOptions): SecureContextOptions {
  if (options.ca !== undefined) return options;
  const own = getCACertificates('default');
  const known = new Set(own.map(withoutSpace));
  const added = getCACertificates('system').filter((certificate) => !known.has(withoutSpace(certificate)));
  return added.length === 0 ? options : { ...options, ca: [...own, ...added] };
}

/** Certificates are compared as text. */
function withoutSpace(certificate: string): string {
  return certificate.replaceAll(/\s/g, '');
}

/** The name is sent to the server, unless it is an address, and its certificate must be for it. */
function expecting(name: string): ClientTls {
  return {
    servername: isIP(name) === 0 ? name : '',
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
  };
}
