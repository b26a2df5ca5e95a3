import { describe, expect, it } from 'vitest';
import { copyOf, readSpans, type Span, type SpanKind } from '../../../engine/otlp/span-reader.ts';
import { semanticsOf, statusOf } from './span-semantics.ts';
import { batchOfSpans, spanId } from '../../../../tests/support/otlp/otlp-spans.ts';

/** HTTP instrumentations name a span after its method if they know nothing better. */
function spanOf(attributes: Record<string, string | number>, kind: SpanKind = 'internal'): Span {
  const name = String(attributes['http.request.method'] ?? 'name');
  return [...readSpans(batchOfSpans([{ spanId: spanId(1), name, kind, attributes }]).chunks[0]!)][0]!;
}

const GET = { 'http.request.method': 'GET' };

describe('semanticsOf', () => {
  it.each<[Record<string, string>, SpanKind, ...semantics: [string, string, string]]>([
    [{ ...GET, 'http.route': '/p/:id' }, 'server', 'http.server', 'GET /p/:id', 'route'],
    [{ ...GET, 'url.path': '/p?secret=1' }, 'server', 'http.server', 'GET /p', 'url'],
    [{ ...GET, 'url.path': '/' }, 'server', 'http.server', 'GET /', 'route'],
    [{ ...GET, 'url.full': 'https://u:p@h:1/p?q=1#f' }, 'client', 'http.client', 'GET https://h:1/p', 'url'],
    [{ 'http.method': 'GET' }, 'internal', 'http', 'name', 'custom'],
    [{ 'db.system.name': 'postgresql', 'db.query.text': 'select 1' }, 'client', 'db', 'select ?', 'task'],
    [{ 'db.system': 'postgresql', 'db.statement': 'select 2' }, 'client', 'db', 'select ?', 'task'],
    [{ 'db.system.name': 'x', 'db.operation.name': 'get', 'db.collection.name': 'c' }, 'client', 'db', 'get c', 'task'],
    [{ 'rpc.service': 's' }, 'client', 'rpc', 'name', 'custom'],
    [{ 'messaging.system': 'kafka' }, 'producer', 'message', 'name', 'custom'],
    [{ 'faas.trigger': 'timer' }, 'server', 'timer', 'name', 'custom'],
    [{ ...GET, 'sentry.op': 'own' }, 'client', 'own', 'GET', 'custom'],
    [{}, 'internal', 'default', 'name', 'custom'],
  ])('of %j (%s): %s, %s, %s', (attributes, kind, ...[op, description, source]) => {
    expect(semanticsOf(spanOf(attributes, kind))).toMatchObject({ op, description, source });
  });
});

describe('the name of a span', () => {
  it.each<[string, Record<string, string>, SpanKind, name: string, source: string]>([
    ['GET /users/:id', { ...GET, 'url.path': '/users/42' }, 'server', 'GET /users/:id', 'custom'],
    ['query Cart', { 'http.request.method': 'POST', 'url.path': '/graphql' }, 'server', 'query Cart', 'custom'],
    ['GET', { ...GET, 'url.path': '/users/42' }, 'server', 'GET /users/42', 'url'],
    ['HTTP GET', { ...GET, 'url.path': '/users/42' }, 'server', 'GET /users/42', 'url'],
    [
      'GET',
      { ...GET, 'url.full': 'https://h/u/42', 'url.template': '/u/{id}' },
      'client',
      'GET https://h/u/{id}',
      'route',
    ],
    ['own', { ...GET, 'http.route': '/u', 'sentry.custom_span_name': 'mine' }, 'server', 'mine', 'custom'],
    ['own', { 'sentry.source': 'task' }, 'internal', 'own', 'task'],
    ['GET /cb?token=hunter2', {}, 'internal', 'GET /cb?token=[Filtered]', 'custom'],
    ['GET /reset/a8f3hunter2b7d2e9c4', {}, 'internal', 'GET /reset/[Filtered]', 'custom'],
    ["SELECT a FROM t WHERE b = 'hunter2'", {}, 'internal', 'SELECT a FROM t WHERE b = ?', 'custom'],
    ['pg.query', { 'db.system.name': 'postgresql', 'db.query.summary': 'SELECT t' }, 'client', 'SELECT t', 'task'],
  ])('%s with %j (%s): %s, %s', (name, attributes, kind, ...[expected, source]) => {
    expect(semanticsOf({ ...copyOf(spanOf(attributes, kind)), name })).toMatchObject({ name: expected, source });
  });
});

function withStatus(code: Span['status']['code'], message: string, attributes: Record<string, number>): Span {
  return { ...copyOf(spanOf(attributes)), status: { code, message } };
}

describe('statusOf', () => {
  it.each([
    ['ok', '', { 'http.response.status_code': 500 }, 'ok'],
    ['unset', '', {}, 'ok'],
    ['unset', '', { 'http.response.status_code': 404 }, 'not_found'],
    ['unset', '', { 'rpc.grpc.status_code': 14 }, 'unavailable'],
    ['error', 'aborted', { 'http.response.status_code': 404 }, 'aborted'],
    ['error', 'boom', { 'http.response.status_code': 429 }, 'resource_exhausted'],
    ['error', 'boom', { 'http.response.status_code': 200 }, 'internal_error'],
    ['error', 'ok', {}, 'internal_error'],
  ] as const)('%s %j %j: %s', (code, message, attributes, expected) => {
    expect(statusOf(withStatus(code, message, attributes))).toBe(expected);
  });
});
