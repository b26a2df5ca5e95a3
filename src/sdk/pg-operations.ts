/**
 * Measures the statements of pg. The instrumentation names them by their text up to the first space, with whatever it
 * holds, and counts a rejected promise as success.
 */
import { ROOT_CONTEXT, trace, type Span } from '@opentelemetry/api';
import type { PgInstrumentation, PgRequestHookInformation } from '@opentelemetry/instrumentation-pg';
import type { LabelValues } from '../metrics/metric.ts';
import { instrumentationMetrics } from '../metrics/third-party.ts';
import { withoutLiterals } from '../privacy/query-literals.ts';
import { startDatabaseCall } from './clients/database-call.ts';
import { errorType } from './error-type.ts';
import { startedOn } from './pg-backends.ts';
import { recorder } from './recorders.ts';
import { sqlVerb } from './sql-verb.ts';

const recordOperation = recorder(instrumentationMetrics.db_client_operation_duration_seconds);

/** Records `db.client.operation.duration` in place of the instrumentation. Its spans stay. */
export function measureOperations(instrumentation: PgInstrumentation): void {
  const createPatch = instrumentation['_getClientQueryPatch'].bind(instrumentation);
  const patchQuery: typeof createPatch = () => {
    const patch = createPatch();
    return (original: Query) => measured(patch(original), original);
  };
  instrumentation['_getClientQueryPatch'] = patchQuery;
  instrumentation['recordOperationDuration'] = () => undefined;
}

/** Names the span of a statement by its command, unless the statement has a name of its own. */
export function nameSpan(span: Span, { query, connection }: PgRequestHookInformation): void {
  if (starting !== undefined) {
    starting.span ??= span;
    startedOn(starting.client, span);
  }
  const verb = sqlVerb(query.text);
  if (verb !== undefined) span.setAttribute('db.operation.name', verb);
  if (query.name !== undefined && query.name !== '') return;
  const { database } = connection;
  span.updateName(`pg.query${verb === undefined ? '' : `:${verb}`}${database === undefined ? '' : ` ${database}`}`);
}

interface Operation {
  /** The active span is often another one when the statement ends: that of another statement on the same connection. */
  span: Span | undefined;
  readonly client: Client;
  readonly end: (error?: unknown) => void;
}

/** The one whose span is being created. */
let starting: Operation | undefined;

interface Client {
  readonly database?: string;
  readonly connectionParameters: { readonly host?: string; readonly port?: number };
}

type Callback = (this: unknown, error: unknown, ...rest: readonly unknown[]) => unknown;

/** A statement may be given as an object, and then carry its callback. */
interface Statement {
  readonly text?: unknown;
  readonly submit?: unknown;
  callback?: unknown;
}

/** Arguments and result of the method stay as they are for the application. */
function measured(query: Query, original: Query): Query {
  return function measuredQuery(this: Client, ...args) {
    const [statement] = args as [string | Statement | null | undefined];
    if (isCursor(statement)) {
      observeCursor(this, statement);
      return original.apply(this, args);
    }
    const text = typeof statement === 'object' ? statement?.text : statement;
    if (typeof text !== 'string') return query.apply(this, args);
    const operation = startOperation(this, text);
    const hasCallback = wrapCallback(args, operation.end);
    const result = startingWith(operation, () => query.apply(this, args));
    return !hasCallback && result instanceof Promise ? recordWhenSettled(result, operation.end) : result;
  };
}

function startingWith(operation: Operation, body: () => unknown): unknown {
  const outer = starting;
  starting = operation;
  try {
    return body();
  } finally {
    starting = outer;
  }
}

/** The promise of the application. A handler on another one would hide a rejection that the application does not handle. */
async function recordWhenSettled(result: Promise<unknown>, record: (error?: unknown) => void): Promise<unknown> {
  try {
    const settled = await result;
    record();
    return settled;
  } catch (error) {
    record(error);
    throw error;
  }
}

type Query = (this: Client, ...args: unknown[]) => unknown;

/** Cursors and streams of pg have neither a callback nor a promise. The client calls these methods at their end. */
interface Cursor {
  readonly text?: unknown;
  /** A stream has its statement here. */
  readonly cursor?: { readonly text?: unknown };
  handleReadyForQuery: (...args: unknown[]) => unknown;
  handleError: (...args: unknown[]) => unknown;
}

function isCursor(statement: unknown): statement is Cursor {
  if (typeof statement !== 'object' || statement === null) return false;
  const { submit, callback, handleReadyForQuery, handleError } = statement as Statement & Partial<Cursor>;
  const hasEnd = typeof handleReadyForQuery === 'function' && typeof handleError === 'function';
  return typeof submit === 'function' && hasEnd && typeof callback !== 'function';
}

function observeCursor({ database, connectionParameters: { host, port } }: Client, cursor: Cursor): void {
  const text = cursor.text ?? cursor.cursor?.text;
  if (typeof text !== 'string') return;
  const end = startDatabaseCall({
    system: 'postgresql',
    operation: sqlVerb(text),
    database,
    text: withoutLiterals(text, 'postgresql'),
    address: host,
    port,
  });
  const { handleReadyForQuery, handleError } = cursor;
  cursor.handleReadyForQuery = function onReady(...args) {
    end();
    return handleReadyForQuery.apply(this, args);
  };
  cursor.handleError = function onError(...args) {
    end(args[0]);
    return handleError.apply(this, args);
  };
}

function startOperation(client: Client, text: string): Operation {
  const { database, connectionParameters } = client;
  const { host, port } = connectionParameters;
  const startedAtMs = performance.now();
  const verb = sqlVerb(text);
  const end = (error?: unknown): void => {
    const labels = {
      db_system_name: 'postgresql',
      ...(verb === undefined ? {} : { db_operation_name: verb }),
      ...(database === undefined ? {} : { db_namespace: database }),
      ...(host === undefined ? {} : { server_address: host }),
      ...(port === undefined ? {} : { server_port: String(port) }),
      ...(error === undefined || error === null ? {} : { error_type: errorType(error) }),
    };
    const context = operation.span === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, operation.span);
    recordOperation(labels as OperationLabels, (performance.now() - startedAtMs) / 1000, context);
  };
  const operation: Operation = { span: undefined, client, end };
  return operation;
}

type OperationLabels = LabelValues<typeof instrumentationMetrics.db_client_operation_duration_seconds>;

/** Returns false if the statement has no callback. An object of pg with `submit` is used once and must stay the same. */
function wrapCallback(args: unknown[], record: (error?: unknown) => void): boolean {
  const wrapped = (callback: Callback): Callback =>
    function recorded(...results) {
      record(results[0]);
      return callback.apply(this, results);
    };
  const last = args.at(-1);
  if (typeof last === 'function') {
    args[args.length - 1] = wrapped(last as Callback);
    return true;
  }
  const statement = args[0] as string | Statement;
  if (typeof statement !== 'object' || typeof statement.callback !== 'function') return false;
  const callback = wrapped(statement.callback as Callback);
  if (typeof statement.submit === 'function') statement.callback = callback;
  else args[0] = { ...statement, callback };
  return true;
}
