import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { SecureContextOptions } from 'node:tls';
import { CIPHERS, CIPHERS_OF_TLS_1_3, CURVES, type TlsKeys } from '../schema/tls.ts';
import type { Secret } from '../schema/secret.ts';

/**
 * The own certificate and the limits of a client or server.
 *
 * @throws Error with the key and the file, if a file cannot be read.
 */
export async function readIdentity(tls: TlsKeys): Promise<SecureContextOptions> {
  // One after the other, so that the same error is always reported if several cannot be read.
  const cert = await readEither('cert', tls.cert_file, tls.cert_pem);
  const key = await readEither('key', tls.key_file, tls.key_pem);
  const ciphers = ciphersOf(tls.cipher_suites);
  const curves = tls.curve_preferences.map((name) => CURVES[name]);
  return {
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    minVersion: `TLSv${tls.min_version}`,
    ...(tls.max_version === undefined ? {} : { maxVersion: `TLSv${tls.max_version}` }),
    ...(ciphers === '' ? {} : { ciphers }),
    ...(curves.length === 0 ? {} : { ecdhCurve: curves.join(':') }),
  };
}

/**
 * The certificates of authorities; undefined if the configuration names none.
 *
 * @param name that of the keys: `ca` for `ca_file` and `ca_pem`.
 * @throws Error with the key and the file, if it cannot be read or contains no certificate. Node would ignore that, and
 *   trust no server.
 */
export async function readAuthorities(
  name: string,
  file: string | undefined,
  pem?: Secret,
): Promise<string | undefined> {
  const authorities = await readEither(name, file, pem);
  if (authorities !== undefined && !isCertificate(authorities)) throw noPem(name, file, 'certificate');
  return authorities;
}

/** Node would ignore an empty file too, and connect without a certificate. */
async function readEither(
  name: string,
  file: string | undefined,
  pem: Secret | undefined,
): Promise<string | undefined> {
  const text = file === undefined ? pem?.reveal() : await read(name, file);
  if (text?.includes('-----BEGIN ') === false) throw noPem(name, file, name === 'key' ? 'key' : 'certificate');
  return text;
}

async function read(name: string, file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new Error(`tls.${name}_file: ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0;
  } catch {
    return false;
  }
}

function noPem(name: string, file: string | undefined, kind: string): Error {
  return new Error(`tls.${name}_${file === undefined ? 'pem' : 'file'} contains no ${kind} in PEM`);
}

/** Empty for the defaults of Node. */
function ciphersOf(names: readonly string[]): string {
  if (names.length === 0) return '';
  const older = names.flatMap((name) => CIPHERS[name] ?? []);
  return [...CIPHERS_OF_TLS_1_3, ...older].join(':');
}
