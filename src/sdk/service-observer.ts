/** The OpenTelemetry SDK in the service's process. */
import { NodeSDK } from '@opentelemetry/sdk-node';
import { CompositePropagator } from '@opentelemetry/core';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import {
  context,
  diag,
  metrics,
  propagation,
  trace,
  type ProxyTracerProvider,
  type TextMapPropagator,
} from '@opentelemetry/api';
import { createBackgroundExporters, type BackgroundExporters } from './background-exporters.ts';
import { deliverNow } from './last-delivery.ts';
import { countRequestsOnce } from './http/nested-servers.ts';
import { endOpenResponses } from './http/open-responses.ts';
import { environmentProblems, isSet, setValue } from './environment-problems.ts';
import { recordExemplars } from './exemplars/record-exemplars.ts';
import { useFlatContexts } from './flat-context.ts';
import { createInstrumentations, instrumentationProblems } from './instrumentations.ts';
import { sendLogLines, type LogLinesSettings } from './loggers/log-lines.ts';
import { continueParent, passToChildren, passToWorkers } from './parent-context.ts';
import { describePgBackends } from './pg-backends.ts';
import { describeServiceExceptions } from './service-exceptions.ts';
import { describePgFailures } from './pg-failures.ts';
import { observePgPools } from './pg-pools.ts';
import { keepResourcePrivate, keepSpansPrivate, type PrivateSpanSettings } from './private-spans.ts';
import { flushAtEnd, type EndSettings } from './process-end.ts';
import { observeProcess } from './process-observer.ts';
import { RequestTargets } from './request-targets.ts';
import { SentryPropagator } from './sentry-propagator.ts';
import { SelectivePropagator } from './selective-propagator.ts';
import { recordSamplingContext } from './sampling-context.ts';
import { namelessProblem, serviceDefaults } from './service-defaults.ts';
import { spool } from './spool.ts';
import { sendUnsampledExceptions } from './unsampled-exceptions.ts';
import { recordUncaughtExceptions } from './uncaught-exceptions.ts';
import { views } from './views.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Its `require` is the one that instrumentations intercept. */
const require = createRequire(import.meta.url);

const DEFAULT_FLUSH_TIMEOUT_MS = 500;

/** Without this, the first metrics arrive after a whole interval, which is a minute by default. */
const FIRST_METRICS_AFTER_MS = 5000;

/**
 * Sets up traces and metrics over OTLP, the instrumentations and the flush at the end. If any part fails, it removes all
 * others and throws.
 */
export function observe(environment: NodeJS.ProcessEnv): void {
  const problems = [...environmentProblems(environment), ...instrumentationProblems(environment)];
  for (const problem of problems) process.stderr.write(`siphon-otel/preload: ${problem}\n`);
  useFlatContexts();
  const targets = new RequestTargets();
  const privacy = { personal: isSet(environment, 'SIPHON_SEND_PERSONAL_DATA') };
  const { start, stop, exportLogs, resource, ...end } = withDefaults(environment, () =>
    createSdk(targets, privacy, environment),
  );
  try {
    withDefaults(environment, start);
    describePgFailures();
    describeServiceExceptions();
    describePgBackends();
    keepSpansPrivate(privacy);
    countRequestsOnce();
    recordSamplingContext(environment);
    if (exportLogs !== undefined) sendUnsampledExceptions(exportLogs);
    if (exportLogs !== undefined && setValue(environment, 'OTEL_LOGS_EXPORTER')?.toLowerCase() !== 'none') {
      sendLogLines({ exportLogs, resource: resource(), ...privacy });
    }
    if (setValue(environment, 'OTEL_METRICS_EXEMPLAR_FILTER')?.toLowerCase() !== 'always_off') {
      recordExemplars(metrics.getMeterProvider());
    }
    setUpPropagation(targets, environment);
    continueParent(environment);
    passToChildren();
    if (isSet(environment, 'SIPHON_OBSERVE_WORKERS')) passToWorkers();
    updateBuiltinModules();
    // A thread has no memory and no CPU of its own in the metrics.
    if (isMainThread) observeProcess();
    observePgPools();
    recordUncaughtExceptions();
    setTimeout(() => onFirstMetrics(environment), FIRST_METRICS_AFTER_MS).unref();
    flushAtEnd({ ...end, timeoutMs: flushTimeoutMs(environment) });
  } catch (error) {
    stop();
    throw error;
  }
}

interface Sdk extends Omit<EndSettings, 'timeoutMs'>, Pick<BackgroundExporters, 'exportLogs'> {
  readonly start: () => void;
  readonly stop: () => void;
  /** The resource of all telemetry, after the start. */
  readonly resource: () => LogLinesSettings['resource'];
}

function createSdk(targets: RequestTargets, privacy: PrivateSpanSettings, environment: Environment): Sdk {
  const exporters = createBackgroundExporters();
  const observed = createInstrumentations(targets, privacy, environment);
  const sdk = new NodeSDK({ ...exporters.options, instrumentations: [...observed], views: views() });
  return {
    exportLogs: exporters.exportLogs,
    resource: () => sdk['_resource'],
    start: () => {
      sdk.start();
      keepResourcePrivate(sdk['_resource'], privacy);
      // Otherwise the first export waits for the attributes that are looked up, and is lost if the process ends meanwhile.
      sdk['_resource'].waitForAsyncAttributes?.().catch((error: unknown) => diag.debug('siphon: no attributes', error));
    },
    // NodeSDK can only shut down, and then it does not observe any more.
    flush: async ({ isLast }) => {
      // A flush that begins while attributes are looked up would not export the spans that wait for them.
      await sdk['_resource'].waitForAsyncAttributes?.();
      await Promise.allSettled(currentProviders().map(async (provider) => await provider.forceFlush?.()));
      if (isLast) exporters.withdrawStates();
      await exporters.delivered();
    },
    flushNow: (sendMs, deadlineMs) => {
      endOpenResponses();
      // Spans wait for attributes that are looked up, such as the host's id. What is not known yet stays absent.
      Object.assign(sdk['_resource'], { _asyncAttributesPending: false });
      // Then this encodes the ended spans without a wait.
      const [tracerProvider] = currentProviders();
      tracerProvider?.forceFlush?.().catch((error: unknown) => diag.debug('siphon: the last spans are lost', error));
      spool(deliverNow(exporters.pending(), sendMs), environment, deadlineMs);
    },
    flushNowIsComplete: exporters.sendAll,
    stop: () => {
      for (const instrumentation of observed) instrumentation.disable();
      syncBuiltinESMExports();
      for (const api of [trace, metrics, propagation, context]) api.disable();
      sdk.shutdown().catch((error: unknown) => diag.debug('siphon: the shutdown of the SDK failed', error));
    },
  };
}

/** A process that has come so far is a service: short commands do not print the line. */
function onFirstMetrics(environment: Environment): void {
  const isQuiet = setValue(environment, 'OTEL_LOG_LEVEL')?.toLowerCase() === 'none';
  const problem = isQuiet ? undefined : namelessProblem(environment);
  if (problem !== undefined) process.stderr.write(`siphon-otel/preload: ${problem}\n`);
  exportMetrics();
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
  const defaults = serviceDefaults(environment);
  const previous = Object.keys(defaults).map((name) => [name, environment[name]] as const);
  Object.assign(environment, defaults);
  try {
    return body();
  } finally {
    for (const [name, value] of previous) {
      if (value === undefined) delete environment[name];
      else environment[name] = value;
    }
  }
}

/** Adds Sentry's header if `OTEL_PROPAGATORS` is not set, and restricts all headers to known hosts. */
function setUpPropagation(targets: RequestTargets, environment: Environment): void {
  const listed = environment['SIPHON_PROPAGATE_TO_HOSTS']?.split(',') ?? [];
  const hosts = listed.map((host) => host.trim()).filter((host) => host !== '');
  // The API has no public method for the current propagator, which NodeSDK has just set.
  const configured: TextMapPropagator = propagation['_getGlobalPropagator']();
  const isDefault = (environment['OTEL_PROPAGATORS'] ?? '').trim() === '';
  const propagators = isDefault ? [configured, new SentryPropagator()] : [configured];
  propagation.disable();
  propagation.setGlobalPropagator(new SelectivePropagator(new CompositePropagator({ propagators }), targets, hosts));
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
