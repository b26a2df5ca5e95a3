/** Keeps the routes and exceptions that frameworks report about the requests that the service answers. */
import { context, type Attributes, type Span } from '@opentelemetry/api';
import { getRPCMetadata, type RPCMetadata } from '@opentelemetry/core';
import { httpRoute } from '../../metrics/third-party.ts';
import { recordException } from '../exceptions.ts';
import { attachment } from './attachment.ts';
import { nextRoute } from './next-route.ts';

const MAX_ROUTE_CHARACTERS = 200;

const requests = attachment<RPCMetadata>();
const failures = new WeakMap<RPCMetadata, unknown[]>();
const routes = new Set<string>();

/** The route that is set until the response has ended is that of its span. */
export function rememberRequest(request: object, metadata: RPCMetadata): void {
  requests.add(request, metadata);
}

/**
 * Sets `http.route` of the span and the metric, and names the span by it. The last route counts. Without a request, it is
 * that of the active context.
 */
export function setRoute(route: string, request?: object): void {
  const metadata = metadataOf(request);
  if (metadata !== undefined && isKept(route)) metadata.route = route;
}

/** True for a request that one server hands over to another with `emit`. */
export function isRemembered(request: object): boolean {
  return requests.of(request) !== undefined;
}

/** Completes the route of a request that has ended, where nothing reported it: Next, or code that wrote to the span. */
export function completeRoute(request: object, span: Span, metadata: RPCMetadata): void {
  if (metadata.route !== undefined) return;
  const written = (span as { readonly attributes?: Attributes }).attributes?.[ROUTE];
  const route = typeof written === 'string' ? written : nextRoute(request);
  if (route !== undefined && isKept(route)) metadata.route = route;
}

const ROUTE = 'http.route';

/**
 * Records what a handler threw on the span of the request, once, wherever it passes through. An error that carries a
 * status below 500 is an answer, for example a 404, and no failure of the service.
 */
export function recordFailure(error: unknown, request?: object): void {
  const metadata = metadataOf(request);
  if (metadata?.span === undefined || isAnswer(error)) return;
  const recorded = failures.get(metadata) ?? [];
  if (recorded.includes(error)) return;
  failures.set(metadata, [...recorded, error]);
  recordException(metadata.span, error);
}

function metadataOf(request: object | undefined): RPCMetadata | undefined {
  return request === undefined ? getRPCMetadata(context.active()) : requests.of(request);
}

/** Routes come from the code of a service. One that makes them up at run time must not fill the sidecar with series. */
function isKept(route: string): boolean {
  if (routes.has(route)) return true;
  if (routes.size === httpRoute.maxValues || route.length > MAX_ROUTE_CHARACTERS) return false;
  routes.add(route);
  return true;
}

/** True for an error with a status below 500. http-errors, Fastify, Koa, Hono, Nest and Boom use these names. */
export function isAnswer(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { status, statusCode, output, getStatus } = error as HttpError;
  const nestStatus: unknown = typeof getStatus === 'function' ? getStatus.call(error) : undefined;
  const code = [status, statusCode, output?.statusCode, nestStatus].find((value) => typeof value === 'number');
  return code !== undefined && code >= 100 && code < 500;
}

interface HttpError {
  readonly status?: unknown;
  readonly statusCode?: unknown;
  readonly output?: { readonly statusCode?: unknown } | null;
  readonly getStatus?: unknown;
}
