import { rmSync, writeFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { parseDuration } from '../engine/schema/duration.ts';
import type { Collector } from '../engine/pipeline/collector.ts';
import {
  EXIT_FAILURE,
  EXIT_OK,
  UsageError,
  type Command,
  type CommandContext,
  type CommandOptions,
} from './command.ts';
import type { Environment } from '../engine/config/expand.ts';
import { IdleCollection } from '../engine/idle-collection.ts';
import { MemoryRelief } from '../engine/net/memory-relief.ts';
import { whenNpmEnds } from './npm-launcher.ts';
import { configFrom, readConfig, type ReadConfig } from './read-config.ts';
import { keepYoungGenerationSmall } from './young-generation.ts';

export const run: Command = {
  summary: 'run the sidecar until SIGTERM or SIGINT; SIGHUP reloads the configuration',
  optionLines: [
    '--shutdown-timeout DURATION  how long to send queued telemetry after a signal (default 10s)',
    '--pid-file FILE              where to write the id of the process, for siphon reload; removed at the end',
  ],
  takes: ['shutdown-timeout', 'pid-file'],
  example: 'siphon run --config otel-collector.yaml --config overrides.yaml',
  exitsOneIf: 'if it cannot start, or on a second signal',
  readsConfig: true,
  async run(options, context) {
    const shutdownTimeoutMs = shutdownTimeoutOf(options);
    // Before the configuration is read: it may be an older one than that of the signal.
    const reloadOnSignal = listenForReloads();
    const loaded = await readConfig(options, context);
    if (loaded === undefined) return EXIT_FAILURE;
    keepYoungGenerationSmall();
    const { collector, logger } = await build(loaded, { drainTimeoutMs: shutdownTimeoutMs, ...context });
    // Before the start, so that a signal during the start also leads to a clean shutdown.
    const stop = requestToStop(logger, context.environment);
    ignoreDebuggerSignal(logger);
    MemoryRelief.start(logger);
    IdleCollection.start();
    const pidFile = options.given['pid-file'];
    try {
      if (pidFile !== undefined) writeFileSync(pidFile, `${process.pid}\n`);
      const starting = collector.start();
      reloadOnSignal((onBegin) => {
        void collector.reload(async () => {
          onBegin();
          const again = await configFrom(options, context);
          report(again, logger);
          return again.config;
        });
      });
      await starting;
    } catch (error) {
      context.printError(`siphon could not start: ${error instanceof Error ? error.message : String(error)}`);
      return EXIT_FAILURE;
    }
    await stop;
    await collector.shutdown(AbortSignal.timeout(shutdownTimeoutMs));
    if (pidFile !== undefined) rmSync(pidFile, { force: true });
    return EXIT_OK;
  },
};

function shutdownTimeoutOf({ given }: CommandOptions): number {
  const timeoutMs = parseDuration(given['shutdown-timeout'] ?? '10s');
  if (timeoutMs === undefined || timeoutMs < 0) {
    throw new UsageError('--shutdown-timeout must be a duration such as 500ms or 10s');
  }
  return timeoutMs;
}

interface BuildContext extends Pick<CommandContext, 'version'> {
  readonly drainTimeoutMs: number;
}

/** The collector of a configuration, and its log. */
export async function build(
  loaded: Pick<ReadConfig, 'config' | 'sources' | 'warnings'>,
  { version, drainTimeoutMs }: BuildContext,
): Promise<Running> {
  const { config } = loaded;
  const [{ Collector }, { createLog }] = await Promise.all([
    import('../engine/pipeline/collector.ts'),
    import('../engine/telemetry/create-log.ts'),
  ]);
  const { logs, resource } = config.service.telemetry;
  const { logger, lostLines, suppressedLines } = await createLog(logs, resource);
  report(loaded, logger);
  const observed = {
    uncaughtErrors: countUncaughtErrors(logger),
    lostLogLines: lostLines,
    suppressedLogLines: suppressedLines,
  };
  return { collector: new Collector(config, { version, logger, observed, drainTimeoutMs }), logger };
}

interface Running {
  readonly collector: Collector;
  readonly logger: Logger;
}

function report({ sources, warnings }: Pick<ReadConfig, 'sources' | 'warnings'>, logger: Logger): void {
  logger.info({ sources }, 'Configuration is loaded');
  for (const warning of warnings) logger.warn({ warning }, 'Possible mistake in the configuration');
}

/** By default, SIGUSR1 opens a port for a debugger, through which every user of the machine can run code in siphon. */
function ignoreDebuggerSignal(logger: Logger): void {
  process.on('SIGUSR1', () => logger.warn('SIGUSR1 has no effect'));
}

/** Returns how to react to SIGHUP. Signals that arrive before a reload begins lead to one reload. */
function listenForReloads(): (reload: (onBegin: () => void) => void) => void {
  let isWaiting = false;
  let begin: (() => void) | undefined;
  process.on('SIGHUP', () => {
    if (isWaiting) return;
    isWaiting = true;
    begin?.();
  });
  return (reload) => {
    begin = () => reload(() => (isWaiting = false));
    if (isWaiting) begin();
  };
}

/**
 * Resolves on the first SIGTERM or SIGINT, or when the npm that started siphon has ended. A signal after that exits
 * immediately.
 */
async function requestToStop(logger: Logger, environment: Environment): Promise<void> {
  await new Promise<void>((resolve) => {
    let isStopping = false;
    const stop = (fields: object, message: string): void => {
      isStopping = true;
      logger.info(fields, message);
      resolve();
    };
    const onSignal = (signal: NodeJS.Signals): void => {
      if (isStopping) {
        logger.warn({ signal }, 'Received a signal while shutting down, exiting immediately; queued telemetry is lost');
        process.exit(EXIT_FAILURE);
      }
      stop({ signal }, 'Received a signal, shutting down');
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
    whenNpmEnds(
      environment,
      () => isStopping || stop({}, 'The npm command that started siphon has ended, shutting down'),
    );
  });
}

/** A defect of one component must not stop the others: log and count it, and keep running. */
function countUncaughtErrors(logger: Logger): () => number {
  let count = 0;
  const onError = (err: unknown): void => {
    count += 1;
    logger.error({ err }, 'Uncaught error; siphon keeps running');
  };
  process.on('uncaughtException', onError);
  process.on('unhandledRejection', onError);
  return () => count;
}
