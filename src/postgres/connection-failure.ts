import type { postgresFailures } from '../metrics/reasons.ts';

interface ConnectionFailure {
  readonly reason: (typeof postgresFailures)[number];
  readonly what: string;
  readonly repair: string;
}

/**
 * The cause of a failed connection, where the driver or the server names a cause that is easily misunderstood.
 *
 * @param text the words of the driver or the server.
 * @param code of Node's TLS, or an SQLSTATE.
 */
export function connectionFailure(text: string, code: string | undefined): ConnectionFailure | undefined {
  return failures.find(({ codes, words }) => (code !== undefined && codes?.has(code)) || words?.test(text))?.failure;
}

const VERIFY =
  "Set sslmode=verify-full and sslrootcert=FILE, the certificate of the provider's authority. Or set sslmode=no-verify, which encrypts, but does not notice a server that pretends to be yours";

const failures: readonly {
  readonly codes?: ReadonlySet<string>;
  readonly words?: RegExp;
  readonly failure: ConnectionFailure;
}[] = [
  {
    codes: new Set([
      'SELF_SIGNED_CERT_IN_CHAIN',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ]),
    failure: {
      reason: 'connection',
      what: 'the certificate of the database is not signed by a known authority; set the TLS parameters sslrootcert=FILE, with the certificate of its authority, or sslmode=no-verify',
      repair: VERIFY,
    },
  },
  {
    codes: new Set(['ERR_TLS_CERT_ALTNAME_INVALID']),
    failure: {
      reason: 'connection',
      what: 'the certificate of the database is for another host; set the datasource to a name in the certificate, or sslmode=no-verify',
      repair:
        'Use a host name that the certificate contains. Or set sslmode=no-verify, which encrypts, but does not notice a server that pretends to be yours',
    },
  },
  {
    words: /is not currently accepting connections|cannot connect to invalid database/,
    failure: {
      reason: 'unavailable',
      what: 'the database does not accept connections',
      repair: 'Ask its owner: alter database NAME allow_connections true',
    },
  },
  {
    words: /does not support SSL/,
    failure: {
      reason: 'connection',
      what: 'the database does not support TLS; set sslmode=disable if the network is trusted',
      repair: 'Enable TLS on the server, or set sslmode=disable in the datasource',
    },
  },
  {
    words: /no encryption$|SSL off$|connection is insecure|SSL required/,
    failure: {
      reason: 'authentication',
      what: 'the database refuses this login without TLS; add sslmode=verify-full to the datasource',
      repair: VERIFY,
    },
  },
  {
    words: /client password must be a (?:non-empty )?string/,
    failure: {
      reason: 'authentication',
      what: 'the database requires a password, and the datasource has none; a password file is ignored if others may read it',
      repair: 'Add the password to the datasource, or to the file of PGPASSFILE, and run chmod 600 on that file',
    },
  },
];
