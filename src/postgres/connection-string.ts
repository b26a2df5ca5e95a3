import type { Secret } from '../engine/schema/secret.ts';

const LAX_SSLMODE = /([?&]sslmode=)(?:prefer|require|verify-ca)(?=&|$)/;

/**
 * What node-pg is given. It takes `prefer`, `require` and `verify-ca` for `verify-full`, and says on stderr that a later
 * version will not; siphon means `verify-full` by all of them, and `no-verify` has to be asked for.
 */
export function connectionString(datasource: Secret): string {
  const text = datasource.reveal();
  return text.includes('uselibpqcompat=true') ? text : text.replace(LAX_SSLMODE, '$1verify-full');
}
