/** Lists what the preload observes, without what the environment switches off. */
import type { EventEmitter } from 'node:events';
import { IncomingMessage, ServerResponse } from 'node:http';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { RuntimeNodeInstrumentation } from '@opentelemetry/instrumentation-runtime-node';
import { isTracingSuppressed } from '@opentelemetry/core';
import { context } from '@opentelemetry/api';
import type { Instrumentation } from '@opentelemetry/instrumentation';
import { MongodbInstrumentation } from './clients/mongodb.ts';
import { MysqlInstrumentation } from './clients/mysql.ts';
import { PostgresInstrumentation } from './clients/postgres.ts';
import { IoredisInstrumentation } from './clients/ioredis.ts';
import { createRedis } from './clients/redis.ts';
import { isSet, setValue } from './environment-problems.ts';
import { ExpressInstrumentation } from './frameworks/express.ts';
import { FastifyInstrumentation } from './frameworks/fastify.ts';
import { GraphqlInstrumentation } from './frameworks/graphql.ts';
import { HonoInstrumentation } from './frameworks/hono.ts';
import { KoaInstrumentation } from './frameworks/koa.ts';
import { NestInstrumentation } from './frameworks/nest.ts';
import { correctFetchErrors, correctHttpErrors } from './http/failed-requests.ts';
import { keepHeaderLists } from './http/given-headers.ts';
import { Http2Instrumentation } from './http/http2-requests.ts';
import { observeEvents, observerOf } from './http/incoming-requests.ts';
import { endUnreadResponses } from './http/unread-responses.ts';
import { BunyanInstrumentation } from './loggers/bunyan.ts';
import { ConsoleInstrumentation } from './loggers/console.ts';
import { PinoInstrumentation } from './loggers/pino.ts';
import { WinstonInstrumentation } from './loggers/winston.ts';
import { followBackends } from './pg-backends.ts';
import { measureOperations, nameSpan } from './pg-operations.ts';
import { describePoolSpan, rememberPools } from './pg-pools.ts';
import { AmqplibInstrumentation } from './queues/amqplib.ts';
import { BullmqInstrumentation } from './queues/bullmq.ts';
import { KafkajsInstrumentation } from './queues/kafkajs.ts';
import type { RequestTargets } from './request-targets.ts';
import { GrpcInstrumentation } from './rpc/grpc.ts';
import { isSentryRequest } from './sentry-requests.ts';
import { isModule, servicePackage } from './service-package.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface InstrumentationSettings {
  /** True to record personal attributes, such as addresses of clients. */
  readonly personal: boolean;
}

/** The keys are the names of OpenTelemetry, which are those of its packages `@opentelemetry/instrumentation-…`. */
const INSTRUMENTATIONS: Readonly<
  Record<string, (targets: RequestTargets, settings: InstrumentationSettings) => Instrumentation>
> = {
  http: createHttp,
  http2: (targets) => new Http2Instrumentation(targets, { watchesImports: isModule() }),
  grpc: (targets) => new GrpcInstrumentation(targets),
  undici: createUndici,
  express: () => new ExpressInstrumentation(),
  fastify: () => new FastifyInstrumentation(),
  koa: () => new KoaInstrumentation(),
  hono: () => new HonoInstrumentation(),
  'nestjs-core': () => new NestInstrumentation(),
  graphql: () => new GraphqlInstrumentation(),
  pg: createPg,
  postgres: () => new PostgresInstrumentation(),
  mysql2: () => new MysqlInstrumentation(),
  mongodb: () => new MongodbInstrumentation(),
  redis: createRedis,
  ioredis: () => new IoredisInstrumentation(),
  bullmq: () => new BullmqInstrumentation(),
  amqplib: () => new AmqplibInstrumentation(),
  kafkajs: () => new KafkajsInstrumentation(),
  pino: () => new PinoInstrumentation(),
  winston: () => new WinstonInstrumentation(),
  bunyan: () => new BunyanInstrumentation(),
  'runtime-node': () => new RuntimeNodeInstrumentation(),
};

/** They watch how modules are resolved, so that only services that use the package get them. */
const PACKAGES: Readonly<Record<string, string>> = {
  hono: 'hono',
  'nestjs-core': '@nestjs/core',
  postgres: 'postgres',
  bullmq: 'bullmq',
  bunyan: 'bunyan',
};

/**
 * Creates those that the environment leaves on: all, or those that `OTEL_NODE_ENABLED_INSTRUMENTATIONS` names, without
 * those that `OTEL_NODE_DISABLED_INSTRUMENTATIONS` names.
 */
export function createInstrumentations(
  targets: RequestTargets,
  settings: InstrumentationSettings,
  environment: Environment,
): readonly Instrumentation[] {
  const enabled = namesIn(environment, ENABLED) ?? Object.keys(INSTRUMENTATIONS);
  const disabled = namesIn(environment, DISABLED) ?? [];
  const { dependencies } = servicePackage();
  const chosen = Object.entries(INSTRUMENTATIONS)
    .filter(([name]) => enabled.includes(name) && !disabled.includes(name))
    .filter(([name]) => PACKAGES[name] === undefined || dependencies.has(PACKAGES[name]))
    .map(([, create]) => create(targets, settings));
  const forConsole = {
    addsIds: isSet(environment, 'SIPHON_CONSOLE_TRACE_IDS'),
    sends: isSet(environment, 'SIPHON_SEND_CONSOLE_LINES'),
  };
  return forConsole.addsIds || forConsole.sends ? [...chosen, new ConsoleInstrumentation(forConsole)] : chosen;
}

const ENABLED = 'OTEL_NODE_ENABLED_INSTRUMENTATIONS';
const DISABLED = 'OTEL_NODE_DISABLED_INSTRUMENTATIONS';

/** Returns a line for each of the two variables that names what does not exist here. */
export function instrumentationProblems(environment: Environment): readonly string[] {
  return [ENABLED, DISABLED].flatMap((variable) => {
    const unknown = namesIn(environment, variable)?.filter((name) => !(name in INSTRUMENTATIONS)) ?? [];
    if (unknown.length === 0) return [];
    return [`${variable} names what does not exist here: ${unknown.join(', ')}`];
  });
}

function namesIn(environment: Environment, variable: string): readonly string[] | undefined {
  const names = setValue(environment, variable)?.split(',') ?? [];
  const given = names.map((name) => name.trim()).filter((name) => name !== '');
  return given.length === 0 ? undefined : given;
}

function createHttp(targets: RequestTargets, settings: InstrumentationSettings): Instrumentation {
  const http = new HttpInstrumentation({
    // Tracing is suppressed during exports: they have no spans, and they are not requests of the service.
    ignoreOutgoingRequestHook: ({ path }) => isTracingSuppressed(context.active()) || isSentryRequest(path),
    // Replaced; without one, nothing is called.
    responseHook: () => undefined,
  });
  correctHttpErrors(http);
  endUnreadResponses(http);
  keepHeaderLists(http);
  observeIncoming(http, settings);
  targets.observeHttp(http);
  return http;
}

/** The instrumentation keeps the patch of the servers and the metric. */
function observeIncoming(http: HttpInstrumentation, { personal }: InstrumentationSettings): void {
  const observe = observerOf({
    tracer: () => http['tracer'],
    record: (seconds, attributes) => http['_recordServerDuration'](seconds * 1000, attributes),
    personal,
  });
  http['_incomingRequestFunction'] = (scheme: string, emit: EventEmitter['emit']) =>
    function incomingRequest(this: EventEmitter, ...args: Parameters<EventEmitter['emit']>) {
      const [event, request, response] = args as [string, IncomingMessage, ServerResponse];
      if (event !== 'request') return emit.apply(this, args);
      return observe(request, response, scheme, () => emit.apply(this, args));
    };
  const stop = observeEvents(IncomingMessage, ServerResponse);
  const disable = http.disable.bind(http);
  http.disable = () => {
    stop();
    disable();
  };
}

function createUndici(targets: RequestTargets): Instrumentation {
  const undici = new UndiciInstrumentation({
    requestHook: targets.onFetch,
    ignoreRequestHook: ({ path }) => isSentryRequest(path),
  });
  correctFetchErrors(undici);
  return undici;
}

function createPg(): Instrumentation {
  const pg = new PgInstrumentation({ requestHook: nameSpan, connectionHook: describePoolSpan });
  rememberPools(pg);
  measureOperations(pg);
  followBackends(pg);
  return pg;
}
