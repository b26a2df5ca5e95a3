import { describe, expect, it } from 'vitest';
import { readSpans, type Span, type SpanKind } from '../../../engine/otlp/span-reader.ts';
import { semanticsOf, statusOf } from './span-semantics.ts';
import { batchOfSpans, spanId } from '../../../../tests/support/otlp/otlp-spans.ts';

function spanOf(attributes: Record<string, string | number>, kind: SpanKind = 'internal'): Span {
  return [...readSpans(batchOfSpans([{ spanId: spanId(1), name: 'name', kind, attributes }]).chunks[0]!)][0]!;
}

const GET = { 'http.request.method': 'GET' };

describe('semanticsOf', () => {
  it.each<[Record<string, string>, SpanKind, ...semantics: [string, string, string]]>([
    [{ ...GET, 'http.route': '/p/:id' }, 'server', 'http.server', 'GET /p/:id', 'route'],
    [{ ...GET, 'url.path': '/p?secret=1' }, 'server', 'http.server', 'GET /p', 'url'],
    [{ ...GET, 'url.path': '/' }, 'server', 'http.server', 'GET /', 'route'],
    [{ ...GET, 'url.full': 'https://u:p@h:1/p?q=1#f' }, 'client', 'http.client', 'GET https://h:1/p', 'url'],
    [{ 'http.method': 'GET' }, 'internal', 'http', 'name', 'custom'],
    [{ 'db.system.name': 'postgresql', 'db.query.text': 'select 1' }, 'client', 'db', 'select 1', 'task'],
    [{ 'db.system': 'postgresql', 'db.statement': 'select 2' }, 'client', 'db', 'select 2', 'task'],
    [{ 'db.system.name': 'x', 'db.operation.name': 'get', 'db.collection.name': 'c' }, 'client', 'db', 'get c', 'task'],
    [{ 'rpc.service': 's' }, 'client', 'rpc', 'name', 'custom'],
    [{ 'messaging.system': 'kafka' }, 'producer', 'message', 'name', 'custom'],
    [{ 'faas.trigger': 'timer' }, 'server', 'timer', 'name', 'custom'],
    [{ ...GET, 'sentry.op': 'own' }, 'client', 'own', 'name', 'custom'],
    [{}, 'internal', 'default', 'name', 'custom'],
  ])('of %j (%s): %s, %s, %s', (attributes, kind, ...[op, description, source]) => {
    expect(semanticsOf(spanOf(attributes, kind))).toEqual({ op, description, source });
  });
});

function withStatus(code: Span['status']['code'], message: string, attributes: Record<string, number>): Span {
  return { ...spanOf(attributes), status: { code, message } };
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
