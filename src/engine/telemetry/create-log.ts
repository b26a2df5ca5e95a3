import { Writable } from 'node:stream';
import { pino, stdTimeFunctions, type Logger, type LoggerOptions } from 'pino';
import type { TelemetryConfig } from '../collector-config.ts';
import { errorFields } from './error-fields.ts';
import { LogDestination } from './log-destination.ts';
import { LogLimit } from './log-limit.ts';

export interface Log {
  readonly logger: Logger;
  /** The number of lines so far that could not be written. */
  readonly lostLines: () => number;
  /** The number of lines so far that were suppressed, because there were too many. */
  readonly suppressedLines: () => number;
}

/** Creates siphon's log on standard error: JSON, or readable text with `console`, and with `auto` on a terminal. */
export async function createLog(
  { level, encoding, sampling }: TelemetryConfig['logs'],
  resource: TelemetryConfig['resource'] = {},
): Promise<Log> {
  const base = Object.keys(resource).length === 0 ? null : { resource };
  const serializers = { err: (error: unknown) => errorFields(error, { withStacks: level === 'debug' }) };
  const limit =
    sampling && new LogLimit(sampling, (suppressed) => logger.warn(suppressed, 'Log lines were suppressed'));
  const hooks = limit === undefined ? {} : { logMethod: within(limit) };
  const options: LoggerOptions = { level, base, serializers, hooks, timestamp: stdTimeFunctions.isoTime };
  const readable = encoding === 'console' || (encoding === 'auto' && process.stderr.isTTY);
  const destination = new LogDestination((lines) => logger.warn({ lines }, 'Log lines were lost'));
  process.once('exit', () => {
    limit?.finish();
    destination.finish();
  });
  const logger = pino(options, readable ? await readableLines(destination) : destination);
  return { logger, lostLines: () => destination.lost, suppressedLines: () => limit?.suppressed ?? 0 };
}

/** Applies to the logger and all its children, before a line is formatted. */
function within(limit: LogLimit): NonNullable<NonNullable<LoggerOptions['hooks']>['logMethod']> {
  return function logWithin(args, log, level) {
    const message: unknown = typeof args[0] === 'string' ? args[0] : args[1];
    if (limit.allows(level, String(message))) log.apply(this, args);
  };
}

async function readableLines(target: LogDestination): Promise<Writable> {
  const { PinoPretty } = await import('pino-pretty');
  const destination = new Writable({
    write(text: Buffer, _encoding, done) {
      target.write(text.toString());
      done();
    },
  });
  return PinoPretty({ destination, sync: true, colorize: process.stderr.isTTY });
}
