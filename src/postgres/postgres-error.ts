import type { postgresFailures } from '../metrics/reasons.ts';

export type PostgresFailure = (typeof postgresFailures)[number];

/** A failed query, with a reason. Its message never contains a connection string. */
export class PostgresError extends Error {
  override readonly name = 'PostgresError';
  readonly reason: PostgresFailure;
  /** A fix, as a sentence or a statement, if one is known. */
  readonly repair: string | undefined;

  constructor(reason: PostgresFailure, message: string, options: ErrorOptions & { readonly repair?: string } = {}) {
    super(message, options);
    this.reason = reason;
    this.repair = options.repair;
  }

  static from(error: unknown): PostgresError {
    if (error instanceof PostgresError) return error;
    const { message, code } = error as { message?: string; code?: string };
    return new PostgresError(failureOf(code), `${advice[failureOf(code)] ?? 'query failed'}: ${message ?? code}`, {
      cause: error,
    });
  }

  /** True if the whole database is unavailable, not only this query at fault. */
  get concernsDatabase(): boolean {
    return databaseFailures.has(this.reason);
  }

  /** True if the schema, as far as the role may read it, does not fit the query. */
  get concernsSchema(): boolean {
    return schemaFailures.has(this.reason);
  }
}

const schemaFailures: ReadonlySet<PostgresFailure> = new Set(['missing_table', 'missing_column', 'permission']);

const databaseFailures: ReadonlySet<PostgresFailure> = new Set([
  'connection',
  'unavailable',
  'too_many_connections',
  'authentication',
  'missing_database',
]);

const advice: Partial<Record<PostgresFailure, string>> = {
  connection: 'cannot reach the database; check host, port and TLS parameters of the datasource',
  unavailable: 'the database is starting up or shutting down',
  too_many_connections: 'the database has no free connection; raise max_connections or the role’s limit',
  authentication: 'the database refused the login; check user and password of the datasource',
  missing_database: 'the database of the datasource does not exist',
  timeout: 'the query ran longer than its timeout',
  lock_timeout: 'the query waited longer than lock_timeout for a lock',
  permission: 'the role may not read this; grant it SELECT',
};

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const bySqlState: Readonly<Record<string, PostgresFailure>> = {
  '57014': 'timeout',
  '55P03': 'lock_timeout',
  '53300': 'too_many_connections',
  '53400': 'too_many_connections',
  '57P01': 'unavailable',
  '57P02': 'unavailable',
  '57P03': 'unavailable',
  '57P05': 'unavailable',
  '3D000': 'missing_database',
  '42501': 'permission',
  '42P01': 'missing_table',
  '3F000': 'missing_table',
  '42703': 'missing_column',
  '25006': 'read_only',
};

const SQL_STATE = /^[0-9A-Z]{5}$/;

function failureOf(code: string | undefined): PostgresFailure {
  // Without an SQLSTATE, the error comes from the connection.
  if (code === undefined || !SQL_STATE.test(code) || code.startsWith('08')) return 'connection';
  if (code.startsWith('28')) return 'authentication';
  return bySqlState[code] ?? 'other';
}
