/** A call of a database client: its span, and its measurement as `db.client.operation.duration`. */
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Attributes, type Span } from '@opentelemetry/api';
import { isTracingSuppressed } from '@opentelemetry/core';
import { boundedLabel } from '../../metrics/bounded-label.ts';
import type { LabelValues } from '../../metrics/metric.ts';
import { instrumentationMetrics } from '../../metrics/third-party.ts';
import { errorType } from '../error-type.ts';
import { INSTRUMENTATION_SCOPE, recorder } from '../recorders.ts';

const metric = instrumentationMetrics.db_client_operation_duration_seconds;
const record = recorder(metric);
const boundedOperation = boundedLabel(metric.labels.db_operation_name);

export interface DatabaseCall {
  /** As in `db.system.name`. */
  readonly system: string;
  /** The command in the writing of the database; undefined if it is not known. */
  readonly operation: string | undefined;
  readonly database?: string | undefined;
  readonly collection?: string | undefined;
  /** The statement without values. */
  readonly text?: string | undefined;
  readonly address?: string | undefined;
  readonly port?: number | string | undefined;
  /** True if a span makes sense only as part of another, such as a command of a library that waits for work. */
  readonly needsParent?: boolean;
}

/** Ends the call, with the error if it failed. Later calls do nothing. */
export type EndCall = (error?: unknown) => void;

/** Begins a call within the active span. */
export function startDatabaseCall(call: DatabaseCall): EndCall {
  if (isTracingSuppressed(context.active())) return () => undefined;
  const span = startSpan(call);
  const startedAtMs = performance.now();
  let hasEnded = false;
  return (error) => {
    if (hasEnded) return;
    hasEnded = true;
    const failure = error === undefined || error === null ? undefined : errorType(error);
    if (failure !== undefined) {
      // The message of the error may hold the values of the statement.
      span?.setAttribute('error.type', failure).setStatus({ code: SpanStatusCode.ERROR, message: failure });
      if (isSqlState(failure)) span?.setAttribute('db.response.status_code', failure);
    }
    span?.end();
    // The active context may be that of another call on the same connection.
    const measured = span === undefined ? ROOT_CONTEXT : trace.setSpan(ROOT_CONTEXT, span);
    record(labelsOf(call, failure), (performance.now() - startedAtMs) / 1000, measured);
  };
}

/** True for the codes of PostgreSQL's errors, such as `42P01`. Connections that fail have longer ones. */
export function isSqlState(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code);
}

function startSpan(call: DatabaseCall): Span | undefined {
  if (call.needsParent === true && trace.getActiveSpan() === undefined) return undefined;
  const target = call.collection ?? (call.system === 'redis' ? undefined : call.database);
  const name = [call.operation, target].filter((part) => part !== undefined).join(' ');
  return trace.getTracer(INSTRUMENTATION_SCOPE).startSpan(name === '' ? call.system : name, {
    kind: SpanKind.CLIENT,
    attributes: attributesOf(call),
  });
}

function attributesOf({ system, operation, database, collection, text, address, port }: DatabaseCall): Attributes {
  return {
    'db.system.name': system,
    ...(operation !== undefined && { 'db.operation.name': operation }),
    ...(database !== undefined && { 'db.namespace': database }),
    ...(collection !== undefined && { 'db.collection.name': collection }),
    ...(text !== undefined && { 'db.query.text': text }),
    ...(address !== undefined && { 'server.address': address }),
    ...(port !== undefined && { 'server.port': Number(port) }),
  };
}

type CallLabels = LabelValues<typeof metric>;

function labelsOf(
  { system, operation, database, address, port }: DatabaseCall,
  failure: string | undefined,
): CallLabels {
  const labels = {
    db_system_name: system,
    ...(operation !== undefined && { db_operation_name: boundedOperation(operation) }),
    ...(database !== undefined && { db_namespace: database }),
    ...(address !== undefined && { server_address: address }),
    ...(port !== undefined && { server_port: String(port) }),
    ...(failure !== undefined && { error_type: failure }),
  };
  return labels as CallLabels;
}
