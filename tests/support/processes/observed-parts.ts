/** The cells of the table in docs/preload.md: the telemetry of each framework and client under an observer. */
import { plainAttributes, type CapturedSpan } from '../otlp/otlp-capture.ts';
import { runObservedFile } from './observed-script.ts';
import { runFramework } from './run-framework.ts';

export const frameworks = {
  'Express 5': 'express',
  'Fastify 5': 'fastify',
  'Koa 3 with a router': 'koa',
  'Hono 4': 'hono',
  'Nest 12': 'nest',
} as const;

export const clients = {
  'postgres.js': { module: 'postgres', server: 'postgres' },
  'cursors and streams of pg': { module: 'pg-query-stream', server: 'postgres' },
  'mysql2 3.24': { module: 'mysql2', server: 'mysql' },
  'node-redis 6': { module: 'redis', server: 'redis' },
  'ioredis 6': { module: 'ioredis', server: 'redis' },
  'BullMQ 6': { module: 'bullmq', server: 'redis' },
  amqplib: { module: 'amqplib', server: 'rabbitmq' },
  'kafkajs 2': { module: 'kafkajs' },
  'GraphQL 17': { module: 'graphql' },
} as const satisfies Readonly<Record<string, { readonly module: string; readonly server?: string }>>;

export type Server = Extract<(typeof clients)[keyof typeof clients], { server: string }>['server'];

const KEPT_ROUTE = '/users/:id';

/** Routes and exceptions of the requests of a framework, in an ES module. */
export async function frameworkCells(module: string, preload: string): Promise<readonly [string, string]> {
  await using run = await runFramework(`${module}.mjs`, {}, preload);
  const spans = run.capture.spans();
  const measured = run.capture.histogramAttributes('http.server.request.duration');
  const isMeasured = measured.some((point) => point['http.route'] === KEPT_ROUTE);
  if (!spans.some(isServer)) return ['no spans', 'no spans'];
  const route = placeOf(spans, hasRoute);
  return [route === 'request' && isMeasured ? 'request and metric' : route, placeOf(spans, hasException)];
}

/** True if the calls of a client, or the messages that it sends and receives, are in the trace of the caller. */
export async function clientCell(module: string, url: string, preload: string): Promise<'yes' | 'no'> {
  const files = ['call', module].map((name) => `tests/support/clients/${name}.mjs`) as [string, string];
  await using run = await runObservedFile([files[0], 'use', url, files[1]], {}, preload);
  const spans = run.capture.spans();
  const caller = spans.find(({ name }) => name === 'caller');
  const own = spans.filter((span) => span.trace_id === caller?.trace_id && isOf(module, span));
  const consumed = spans.filter((span) => span.trace_id === caller?.trace_id && span.kind === 'SPAN_KIND_CONSUMER');
  return (QUEUES.has(module) ? consumed : own).length > 0 ? 'yes' : 'no';
}

const QUEUES: ReadonlySet<string> = new Set(['bullmq', 'amqplib', 'kafkajs']);

/** A stream of pg, and not the plain statement after it. */
function isOf(module: string, { attributes }: CapturedSpan): boolean {
  const { 'db.query.text': text = '', 'db.statement': former = '', ...rest } = plainAttributes(attributes);
  if (module === 'graphql') return 'graphql.operation.type' in rest;
  if (module === 'pg-query-stream') return `${text}${former}`.includes('generate_series');
  return 'db.system.name' in rest || 'db.system' in rest;
}

function placeOf(spans: readonly CapturedSpan[], has: (span: CapturedSpan) => boolean): string {
  if (spans.some((span) => isServer(span) && has(span))) return 'request';
  return spans.some(has) ? 'inner span' : 'no';
}

function hasRoute({ attributes }: CapturedSpan): boolean {
  return plainAttributes(attributes)['http.route'] === KEPT_ROUTE;
}

function hasException({ events = [] }: CapturedSpan): boolean {
  return events.some((event) => plainAttributes(event.attributes)['exception.message'] === 'no coffee');
}

function isServer({ kind }: CapturedSpan): boolean {
  return kind === 'SPAN_KIND_SERVER';
}
