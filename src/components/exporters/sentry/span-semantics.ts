/** The name of a span in Sentry, from OpenTelemetry's semantic conventions, stable ones first. https://develop.sentry.dev/sdk/telemetry/traces/opentelemetry/ */
import { numberOf, textOf, type KeyValueMap } from '../../../engine/otlp/any-value.ts';
import type { Span } from '../../../engine/otlp/span-reader.ts';
import { cleanName } from '../../../privacy/privacy.ts';
import { withoutLiterals } from '../../../privacy/query-literals.ts';
import { sentryStatuses, statusFromGrpc, statusFromHttp, type SentryStatus } from './sentry-status.ts';

export interface SpanSemantics {
  readonly op: string;
  /** One of few: names the transaction if the span is its root. */
  readonly name: string;
  /** The work of this one span: for a query its text without values. */
  readonly description: string;
  /** Where the name comes from. */
  readonly source: NameSource;
}

const nameSources = ['custom', 'url', 'route', 'view', 'component', 'task'] as const;
export type NameSource = (typeof nameSources)[number];

export function semanticsOf(span: Span): SpanSemantics {
  const op = textOf(span.attributes, 'sentry.op') ?? inferOp(span);
  const own = textOf(span.attributes, 'sentry.custom_span_name');
  const inferred: Naming = own === undefined ? inferName(span) : { name: own, source: 'custom' };
  const name = cleanName(inferred.name);
  const { description = name, source } = inferred;
  const given = textOf(span.attributes, 'sentry.source', 'sentry.segment.name.source');
  return { op, name, description, source: nameSources.find((known) => known === given) ?? source };
}

interface Naming {
  readonly name: string;
  /** Absent if it is the name. */
  readonly description?: string;
  readonly source: NameSource;
}

function inferName(span: Span): Naming {
  const method = textOf(span.attributes, 'http.request.method', 'http.method');
  if (method !== undefined) return nameHttp(span, method);
  return isDatabase(span.attributes) ? nameQuery(span) : { name: span.name, source: 'custom' };
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

/** The route, then the template of a client, then a span name that is more than the method, then the path. */
function nameHttp(span: Span, method: string): Naming {
  const route = textOf(span.attributes, 'http.route');
  if (route !== undefined) return { name: `${method} ${route}`, source: 'route' };
  const template = textOf(span.attributes, 'url.template');
  if (template !== undefined) return { name: `${method} ${originOf(span)}${template}`, source: 'route' };
  const url = withoutQuery(span);
  const path = url === undefined ? '' : ` ${url}`;
  const isOnlyMethod = span.name === '' || span.name.toUpperCase().replace(/^HTTPS? /, '') === method.toUpperCase();
  if (!isOnlyMethod && span.name !== `${method}${path}`) return { name: span.name, source: 'custom' };
  if (url === undefined) return { name: span.name, source: 'custom' };
  return { name: `${method}${path}`, source: url === '/' ? 'route' : 'url' };
}

function originOf({ attributes, kind }: Span): string {
  const full = textOf(attributes, 'url.full', 'http.url');
  return kind === 'client' && full !== undefined && URL.canParse(full) ? new URL(full).origin : '';
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

function nameQuery({ attributes, name }: Span): Naming {
  const summary = textOf(attributes, 'db.query.summary');
  const operation = textOf(attributes, 'db.operation.name', 'db.operation');
  const collection = textOf(attributes, 'db.collection.name', 'db.sql.table');
  const target =
    operation === undefined ? name : [operation, collection].filter((part) => part !== undefined).join(' ');
  const system = textOf(attributes, 'db.system.name', 'db.system');
  const query = textOf(attributes, 'db.query.text', 'db.statement');
  return {
    name: summary ?? target,
    ...(query !== undefined && { description: withoutLiterals(query, system) }),
    source: 'task',
  };
}
