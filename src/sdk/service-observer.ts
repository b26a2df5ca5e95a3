/** The OpenTelemetry SDK in the service's process. */
import { NodeSDK } from '@opentelemetry/sdk-node';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg';
import { RuntimeNodeInstrumentation } from '@opentelemetry/instrumentation-runtime-node';
import { isTracingSuppressed } from '@opentelemetry/core';
import { readFileSync } from 'node:fs';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { context, diag, metrics, propagation, trace, type ProxyTracerProvider } from '@opentelemetry/api';
import { createBackgroundExporters } from './background-exporters.ts';
import { PinoInstrumentation } from './pino-instrumentation.ts';
import { flushAtEnd } from './process-end.ts';
import { observeProcess } from './process-observer.ts';
import { SelectivePropagator } from './selective-propagator.ts';
import { views } from './views.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Its `require` is the one that instrumentations intercept. */
const require = createRequire(import.meta.url);

const DEFAULT_ENDPOINT = 'http://127.0.0.1:4318';
const DEFAULT_GRPC_ENDPOINT = 'http://127.0.0.1:4317';
const DEFAULT_FLUSH_TIMEOUT_MS = 500;

/** Without this, the first metrics arrive after a whole interval, which is a minute by default. */
const FIRST_METRICS_AFTER_MS = 5000;

/**
 * Sets up traces and metrics over OTLP, the instrumentations and the flush at the end. If any part fails, it removes all
 * others and throws.
 */
export function observe(environment: NodeJS.ProcessEnv): void {
  const { start, flush, stop } = withDefaults(environment, createSdk);
  try {
    withDefaults(environment, start);
    restrictPropagation(environment);
    updateBuiltinModules();
    observeProcess();
    setTimeout(exportMetrics, FIRST_METRICS_AFTER_MS).unref();
    flushAtEnd({ flush, timeoutMs: flushTimeoutMs(environment) });
  } catch (error) {
    stop();
    throw error;
  }
}

interface Sdk {
  readonly start: () => void;
  readonly flush: () => Promise<void>;
  readonly stop: () => void;
}

function createSdk(): Sdk {
  const exporters = createBackgroundExporters();
  const observed = instrumentations();
  const sdk = new NodeSDK({ ...exporters.options, instrumentations: observed, views: views() });
  return {
    start: () => sdk.start(),
    // NodeSDK can only shut down, and then it does not observe any more.
    flush: async () => {
      await Promise.allSettled(currentProviders().map(async (provider) => await provider.forceFlush?.()));
      await exporters.delivered();
    },
    stop: () => {
      for (const instrumentation of observed) instrumentation.disable();
      syncBuiltinESMExports();
      for (const api of [trace, metrics, propagation, context]) api.disable();
      sdk.shutdown().catch((error: unknown) => diag.debug('siphon: the shutdown of the SDK failed', error));
    },
  };
}

function exportMetrics(): void {
  const [, meterProvider] = currentProviders();
  meterProvider?.forceFlush?.().catch((error: unknown) => diag.debug('siphon: the first export failed', error));
}

/** A provider that the application registered instead of the SDK may not have this method. */
function currentProviders(): readonly { forceFlush?: () => Promise<void> }[] {
  const tracerProvider: object = (trace.getTracerProvider() as ProxyTracerProvider).getDelegate();
  const meterProvider: object = metrics.getMeterProvider();
  return [tracerProvider, meterProvider];
}

/**
 * Sets our defaults in the environment, because the SDK reads its settings there. They are removed afterwards, because
 * child processes inherit the environment.
 */
function withDefaults<T>(environment: NodeJS.ProcessEnv, body: () => T): T {
  const added = Object.entries(defaults(environment)).filter(([key]) => environment[key] === undefined);
  for (const [key, value] of added) environment[key] = value;
  try {
    return body();
  } finally {
    for (const [key] of added) delete environment[key];
  }
}

function defaults(environment: Environment): Record<string, string> {
  const { OTEL_RESOURCE_ATTRIBUTES: attributes } = environment;
  const name = attributes?.includes('service.name=') === true ? undefined : packageName();
  return {
    ...defaultEndpoints(environment),
    // The service keeps writing its log lines as before; pino only adds the ids of the trace.
    OTEL_LOGS_EXPORTER: 'none',
    ...(name === undefined ? {} : { OTEL_SERVICE_NAME: name }),
  };
}

/** OTLP over gRPC has a port of its own. */
function defaultEndpoints(environment: Environment): Record<string, string> {
  if (environment['OTEL_EXPORTER_OTLP_ENDPOINT'] !== undefined) return {};
  const overGrpc = ['TRACES', 'METRICS'].filter((signal) => {
    const protocol = environment[`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`] ?? environment['OTEL_EXPORTER_OTLP_PROTOCOL'];
    return protocol === 'grpc';
  });
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: DEFAULT_ENDPOINT,
    ...Object.fromEntries(overGrpc.map((signal) => [`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`, DEFAULT_GRPC_ENDPOINT])),
  };
}

/** Returns the name in the package.json nearest to the script, or undefined. */
function packageName(): string | undefined {
  const script = process.argv[1];
  for (let folder = path.dirname(script ?? process.cwd()); ; folder = path.dirname(folder)) {
    const name = readName(path.join(folder, 'package.json'));
    if (name !== undefined || folder === path.dirname(folder)) return name;
  }
}

function readName(file: string): string | undefined {
  try {
    const { name } = JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown };
    return typeof name === 'string' && name !== '' ? name : undefined;
  } catch {
    return undefined;
  }
}

function instrumentations() {
  return [
    // Tracing is suppressed during exports: they have no spans, and they are not requests of the service.
    new HttpInstrumentation({ ignoreOutgoingRequestHook: () => isTracingSuppressed(context.active()) }),
    new UndiciInstrumentation(),
    new PgInstrumentation(),
    new PinoInstrumentation(),
    new RuntimeNodeInstrumentation(),
  ];
}

/** Restricts the propagators of `OTEL_PROPAGATORS` to known hosts. */
function restrictPropagation(environment: Environment): void {
  const listed = environment['SIPHON_PROPAGATE_TO_HOSTS']?.split(',') ?? [];
  const hosts = listed.map((host) => host.trim()).filter((host) => host !== '');
  // The API has no public method for the current propagator, which NodeSDK has just set.
  const propagator = new SelectivePropagator(propagation['_getGlobalPropagator'](), hosts);
  propagation.disable();
  propagation.setGlobalPropagator(propagator);
}

function flushTimeoutMs(environment: Environment): number {
  const value = environment['SIPHON_FLUSH_TIMEOUT_MS']?.trim();
  return value !== undefined && /^\d{1,6}$/.test(value) ? Number(value) : DEFAULT_FLUSH_TIMEOUT_MS;
}

/**
 * Loads the patched http and https, and copies their exports to the ES modules of the same name. ES modules need no
 * loader hooks then, which are a shared resource: the first tool that registers import-in-the-middle decides for all
 * others, and registering it from `-r` breaks `node -e` and the ES module loader of Node below 22.22.3 and 24.11.1.
 */
function updateBuiltinModules(): void {
  for (const name of ['node:http', 'node:https']) require(name);
  syncBuiltinESMExports();
}
