/** Reads the errors of PostgreSQL that pg and postgres.js throw. */
import type { Attributes } from '@opentelemetry/api';

/** Sent by the server. Source: https://www.postgresql.org/docs/current/protocol-error-fields.html */
interface ErrorFields {
  readonly message: string;
  readonly severity?: unknown;
  readonly code?: unknown;
  readonly schema?: unknown;
  readonly schema_name?: unknown;
  readonly table?: unknown;
  readonly table_name?: unknown;
  readonly column?: unknown;
  readonly column_name?: unknown;
  readonly constraint?: unknown;
  readonly constraint_name?: unknown;
}

/** Class 22 (data exception), syntax errors and errors that functions raise quote values; others quote names only. */
const QUOTES_VALUES = /^(?:22|42601$|P0)/;

/** The message without values, and what the error is about. Undefined for other errors. */
export function postgresErrorOf(
  error: Error,
): { readonly message: string; readonly attributes: Attributes } | undefined {
  const fields: ErrorFields = error;
  const { severity, code, message } = fields;
  if (typeof severity !== 'string' || typeof code !== 'string' || !/^[0-9A-Z]{5}$/.test(code)) return undefined;
  const named = {
    'db.response.status_code': code,
    'db.postgresql.schema': fields.schema ?? fields.schema_name,
    'db.collection.name': fields.table ?? fields.table_name,
    'db.postgresql.column': fields.column ?? fields.column_name,
    'db.postgresql.constraint': fields.constraint ?? fields.constraint_name,
  };
  const known = Object.entries(named).filter(([, value]) => typeof value === 'string' && value !== '');
  return {
    message: QUOTES_VALUES.test(code) ? message.replaceAll(/"[^"]*"|'[^']*'/g, '"?"') : message,
    attributes: Object.fromEntries<string>(known as [string, string][]),
  };
}
