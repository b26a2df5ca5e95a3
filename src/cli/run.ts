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
import { readConfig, type ReadConfig } from './read-config.ts';
import { keepYoungGenerationSmall } from './young-generation.ts';

export const run: Command = {
  summary: 'run the sidecar until SIGTERM or SIGINT',
  optionLines: ['--shutdown-timeout DURATION  how long to send queued telemetry after a signal (default 10s)'],
  takes: ['shutdown-timeout'],
  readsConfig: true,
  async run(options, context) {
    const shutdownTimeoutMs = shutdownTimeoutOf(options);
    const loaded = await readConfig(options, context);
    if (loaded === undefined) return EXIT_FAILURE;
    keepYoungGenerationSmall();
    const { collector, logger } = await build(loaded, context);
    // Before the start, so that a signal during the start also leads to a clean shutdown.
    const signal = firstSignal(logger);
    try {
      await collector.start();
    } catch (error) {
      context.printError(`siphon could not start: ${error instanceof Error ? error.message : String(error)}`);
      return EXIT_FAILURE;
    }
    await signal;
    await collector.shutdown(AbortSignal.timeout(shutdownTimeoutMs));
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

async function build({ config, warnings, sources }: ReadConfig, { version }: CommandContext): Promise<Running> {
  const [{ Collector }, { createLogger }] = await Promise.all([
    import('../engine/pipeline/collector.ts'),
    import('../engine/telemetry/create-logger.ts'),
  ]);
  const logger = await createLogger(config.service.telemetry.logs);
  logger.info({ sources }, 'Configuration is loaded');
  for (const warning of warnings) logger.warn({ warning }, 'Possible mistake in the configuration');
  const uncaughtErrors = countUncaughtErrors(logger);
  return { collector: new Collector(config, { version, logger, uncaughtErrors }), logger };
}

interface Running {
  readonly collector: Collector;
  readonly logger: Logger;
}

/** Resolves on the first SIGTERM or SIGINT. The second one exits immediately. */
async function firstSignal(logger: Logger): Promise<void> {
  await new Promise<void>((resolve) => {
    let signalled = false;
    const onSignal = (signal: NodeJS.Signals): void => {
      if (signalled) {
        logger.warn({ signal }, 'Received a second signal, exiting immediately; queued telemetry is lost');
        process.exit(EXIT_FAILURE);
      }
      signalled = true;
      logger.info({ signal }, 'Received a signal, shutting down');
      resolve();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
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
