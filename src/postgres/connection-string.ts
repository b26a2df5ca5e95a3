import type { Secret } from '../engine/schema/secret.ts';

const LAX_SSLMODE = /([?&]sslmode=)(?:prefer|require|verify-ca)(?=&|$)/;

/**
 * The connection string for node-pg, which treats `prefer`, `require` and `verify-ca` like `verify-full` and warns on stderr
 * that a later version will not. siphon treats all of them as `verify-full`; `no-verify` must be explicit.
 */
export function connectionString(datasource: Secret): string {
  const text = datasource.reveal();
  return text.includes('uselibpqcompat=true') ? text : text.replace(LAX_SSLMODE, '$1verify-full');
}
