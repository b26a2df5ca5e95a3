import { describeError } from '../engine/describe-error.ts';
import type { postgresFailures } from '../metrics/reasons.ts';
import { connectionFailure } from './connection-failure.ts';

export type PostgresFailure = (typeof postgresFailures)[number];

interface PostgresErrorOptions extends ErrorOptions {
  readonly repair?: string;
  readonly position?: number;
}

/** A failed query, with a reason. Its message never contains a connection string. */
export class PostgresError extends Error {
  override readonly name = 'PostgresError';
  readonly reason: PostgresFailure;
  /** A fix, as a sentence or a statement, if one is known. */
  readonly repair: string | undefined;

  /** The character of the statement that the server complains about, from 1. Undefined: unknown. */
  readonly position: number | undefined;

  constructor(reason: PostgresFailure, message: string, options: PostgresErrorOptions = {}) {
    super(message, options);
    this.reason = reason;
    this.repair = options.repair;
    this.position = options.position;
  }

  /** True if this server, or this role, cannot have an answer, however often it asks. */
  get isRefusal(): boolean {
    const { code } = (this.cause ?? {}) as { readonly code?: string };
    return this.concernsSchema || (code !== undefined && refusals.has(code));
  }

  /** True if the statement itself is wrong: its syntax, a name, a type or a constant. */
  get isMistake(): boolean {
    const { code = '' } = (this.cause ?? {}) as { readonly code?: string };
    return this.reason !== 'permission' && /^(?:22|42)[0-9A-Z]{3}$/.test(code);
  }

  get isSyntaxError(): boolean {
    return (this.cause as { readonly code?: string } | undefined)?.code === '42601';
  }

  /** @param options `before`: the text that was sent before the statement. */
  static from(error: unknown, options?: { readonly before: string }): PostgresError {
    if (error instanceof PostgresError) return error;
    const { code } = error as { readonly code?: string };
    const text = describeError(error);
    const known = connectionFailure(text, code);
    const reason = known?.reason ?? failureOf(code);
    const what = known?.what ?? explanation(reason, { code, text }) ?? 'query failed';
    const repair = known?.repair === undefined ? {} : { repair: known.repair };
    const place = placeIn(error, options);
    return new PostgresError(reason, `${what}: ${text || code}`, { cause: error, ...repair, ...place });
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

function placeIn(
  error: unknown,
  { before = '' }: { readonly before?: string } = {},
): Pick<PostgresErrorOptions, 'position'> {
  const { position } = error as { readonly position?: string };
  return position === undefined ? {} : { position: Number(position) - before.length };
}

const schemaFailures: ReadonlySet<PostgresFailure> = new Set(['missing_table', 'missing_column', 'permission']);

/** A function is missing, is not supported by the provider, or needs a library or a setting. */
const refusals: ReadonlySet<string> = new Set(['42883', '0A000', '55000']);

const databaseFailures: ReadonlySet<PostgresFailure> = new Set([
  'connection',
  'unavailable',
  'too_many_connections',
  'authentication',
  'missing_database',
]);

const advice: Partial<Record<PostgresFailure, string>> = {
  connection: 'cannot reach the database; check host, port and TLS parameters of the datasource',
  unavailable: 'the database is starting up or shutting down, or an administrator ended the connection',
  too_many_connections: 'the database has no free connection; raise max_connections or the role’s limit',
  authentication: 'the database refused the login; check user and password of the datasource',
  missing_database: 'the database of the datasource does not exist',
  timeout: 'the query ran longer than its timeout',
  recovery_conflict: 'the standby ended the query, which delayed the replay of changes; set hot_standby_feedback on it',
  lock_timeout: 'the query waited longer than lock_timeout for a lock',
  permission: 'the role may not read this; grant it SELECT',
};

function explanation(
  reason: PostgresFailure,
  { code, text }: { readonly code: string | undefined; readonly text: string },
): string | undefined {
  return byCode[code ?? ''] ?? (isAboutFunction(reason, text) ? MAY_NOT_CALL : advice[reason]);
}

/** Failures that share a reason with others. */
const byCode: Readonly<Record<string, string>> = {
  '22021':
    'a text that the query reads is not UTF-8, which databases with the encoding SQL_ASCII accept; correct it, or leave out its column',
};

const MAY_NOT_CALL = 'the role may not call this function; grant it EXECUTE';

/** The server has one code for everything that a role may not do. */
function isAboutFunction(reason: PostgresFailure, text: string): boolean {
  return reason === 'permission' && text.startsWith('permission denied for function ');
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const bySqlState: Readonly<Record<string, PostgresFailure>> = {
  '57014': 'timeout',
  // transaction_timeout, and idle_in_transaction_session_timeout, of the role or the server
  '25P04': 'timeout',
  '25P03': 'timeout',
  '55P03': 'lock_timeout',
  // In a transaction that only reads, nothing else fails to serialize.
  '40001': 'recovery_conflict',
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
