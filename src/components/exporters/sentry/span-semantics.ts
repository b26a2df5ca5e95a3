/** The name of a span in Sentry, from OpenTelemetry's semantic conventions, stable ones first. https://develop.sentry.dev/sdk/telemetry/traces/opentelemetry/ */
import { numberOf, textOf, type KeyValueMap } from '../../../engine/otlp/any-value.ts';
import type { Span } from '../../../engine/otlp/span-reader.ts';
import { sentryStatuses, statusFromGrpc, statusFromHttp, type SentryStatus } from './sentry-status.ts';

export interface SpanSemantics {
  readonly op: string;
  readonly description: string;
  /** The source of the description, if it names a transaction. */
  readonly source: 'custom' | 'url' | 'route' | 'task';
}

export function semanticsOf(span: Span): SpanSemantics {
  const op = textOf(span.attributes, 'sentry.op') ?? inferOp(span);
  const method = textOf(span.attributes, 'http.request.method', 'http.method');
  if (method !== undefined) return { op, ...describeHttp(span, method) };
  if (isDatabase(span.attributes)) return { op, description: describeQuery(span), source: 'task' };
  return { op, description: span.name, source: 'custom' };
}

export function statusOf({ status, attributes }: Span): SentryStatus {
  if (status.code === 'ok') return 'ok';
  const http = numberOf(attributes, 'http.response.status_code', 'http.status_code');
  const grpc = numberOf(attributes, 'rpc.grpc.status_code');
  const inferred = http === undefined ? statusFromGrpc(grpc) : statusFromHttp(http);
  if (status.code === 'unset') return inferred ?? 'ok';
  const named = sentryStatuses.find((name) => name === status.message && name !== 'ok');
  return named ?? (inferred === undefined || inferred === 'ok' ? 'internal_error' : inferred);
}

function inferOp({ attributes, kind }: Span): string {
  if (textOf(attributes, 'http.request.method', 'http.method') !== undefined) {
    return kind === 'client' || kind === 'server' ? `http.${kind}` : 'http';
  }
  if (isDatabase(attributes)) return 'db';
  if (textOf(attributes, 'gen_ai.provider.name', 'gen_ai.system') !== undefined) return 'gen_ai';
  if (textOf(attributes, 'rpc.service') !== undefined) return 'rpc';
  if (textOf(attributes, 'messaging.system') !== undefined) return 'message';
  return textOf(attributes, 'faas.trigger') ?? 'default';
}

function isDatabase(attributes: KeyValueMap): boolean {
  return textOf(attributes, 'db.system.name', 'db.system') !== undefined;
}

function describeHttp(span: Span, method: string): Pick<SpanSemantics, 'description' | 'source'> {
  const route = textOf(span.attributes, 'http.route');
  if (route !== undefined) return { description: `${method} ${route}`, source: 'route' };
  const url = withoutQuery(span);
  if (url === undefined) return { description: span.name, source: 'custom' };
  return { description: `${method} ${url}`, source: url === '/' ? 'route' : 'url' };
}

/** Queries and user names may contain secrets, and would make every description unique. */
function withoutQuery({ attributes, kind }: Span): string | undefined {
  const full = textOf(attributes, 'url.full', 'http.url');
  if (full !== undefined && URL.canParse(full)) {
    const { protocol, host, pathname } = new URL(full);
    return kind === 'server' ? pathname : `${protocol}//${host}${pathname}`;
  }
  return textOf(attributes, 'url.path', 'http.target')?.replace(/[?#].*$/s, '');
}

function describeQuery({ attributes, name }: Span): string {
  const query = textOf(attributes, 'db.query.text', 'db.statement', 'db.query.summary');
  if (query !== undefined) return query;
  const operation = textOf(attributes, 'db.operation.name', 'db.operation');
  const collection = textOf(attributes, 'db.collection.name', 'db.sql.table');
  return operation === undefined ? name : [operation, collection].filter((part) => part !== undefined).join(' ');
}
