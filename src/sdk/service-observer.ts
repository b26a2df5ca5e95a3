/** The OpenTelemetry SDK in the service's process. */
import { readFileSync } from 'node:fs';
import { createRequire, register } from 'node:module';
import path from 'node:path';
import { context, diag, metrics, propagation, trace, type ProxyTracerProvider } from '@opentelemetry/api';
import { createBackgroundExporters } from './background-exporters.ts';
import { flushAtEnd } from './process-end.ts';
import { observeProcess } from './process-observer.ts';
import { SelectivePropagator } from './selective-propagator.ts';
import { views } from './views.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The CommonJS builds of the SDK load in half the time of the ES modules. */
const require = createRequire(import.meta.url);

/**
 * Only these need the hooks of ES modules: built-in modules, and pino, because its named export is a function that the
 * instrumentation replaces. pg is patched inside, and fetch is observed through diagnostics channels.
 */
const HOOKED_MODULES = ['http', 'https', 'node:http', 'node:https', 'pino'];

const DEFAULT_ENDPOINT = 'http://127.0.0.1:4318';
const DEFAULT_FLUSH_TIMEOUT_MS = 500;

/**
 * Sets up traces and metrics over OTLP, the instrumentations and the flush at the end. If any part fails, it removes all
 * others and throws.
 */
export function observe(environment: NodeJS.ProcessEnv): void {
  const { start, flush, stop } = withDefaults(environment, createSdk);
  try {
    withDefaults(environment, start);
    restrictPropagation(environment);
    // After all other parts that load modules, so that the hooks do not see the modules of the SDK.
    hookModules();
    observeProcess();
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
  const { NodeSDK } = require('@opentelemetry/sdk-node') as typeof import('@opentelemetry/sdk-node');
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
      for (const api of [trace, metrics, propagation, context]) api.disable();
      sdk.shutdown().catch((error: unknown) => diag.debug('siphon: the shutdown of the SDK failed', error));
    },
  };
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

function defaults({ OTEL_RESOURCE_ATTRIBUTES: attributes }: Environment): Record<string, string> {
  const name = attributes?.includes('service.name=') === true ? undefined : packageName();
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: DEFAULT_ENDPOINT,
    // The service keeps writing its log lines as before; pino only adds the ids of the trace.
    OTEL_LOGS_EXPORTER: 'none',
    ...(name === undefined ? {} : { OTEL_SERVICE_NAME: name }),
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
  const { HttpInstrumentation } =
    require('@opentelemetry/instrumentation-http') as typeof import('@opentelemetry/instrumentation-http');
  const { UndiciInstrumentation } =
    require('@opentelemetry/instrumentation-undici') as typeof import('@opentelemetry/instrumentation-undici');
  const { PgInstrumentation } =
    require('@opentelemetry/instrumentation-pg') as typeof import('@opentelemetry/instrumentation-pg');
  const { PinoInstrumentation } =
    require('@opentelemetry/instrumentation-pino') as typeof import('@opentelemetry/instrumentation-pino');
  const { RuntimeNodeInstrumentation } =
    require('@opentelemetry/instrumentation-runtime-node') as typeof import('@opentelemetry/instrumentation-runtime-node');
  const { isTracingSuppressed } = require('@opentelemetry/core') as typeof import('@opentelemetry/core');
  return [
    // Tracing is suppressed during exports: they have no spans, and they are not requests of the service.
    new HttpInstrumentation({ ignoreOutgoingRequestHook: () => isTracingSuppressed(context.active()) }),
    new UndiciInstrumentation(),
    new PgInstrumentation(),
    new PinoInstrumentation({ disableLogSending: true }),
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

/** Uses synchronous hooks where Node supports them reliably, otherwise the loader thread, which starts slower. */
function hookModules(): void {
  const hooks =
    require('import-in-the-middle/register-hooks.mjs') as typeof import('import-in-the-middle/register-hooks.mjs');
  if (hooks.supportsSyncHooks()) hooks.register({ include: HOOKED_MODULES });
  else register('import-in-the-middle/hook.mjs', import.meta.url, { data: { include: HOOKED_MODULES } });
}
