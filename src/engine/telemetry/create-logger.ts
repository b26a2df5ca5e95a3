import { pino, stdTimeFunctions, type Logger, type LoggerOptions } from 'pino';
import type { TelemetryConfig } from '../collector-config.ts';

/**
 * Creates siphon's logger. It writes lines synchronously to standard error, so that none is lost when the process ends:
 * JSON, or readable text with `console`, and with `auto` on a terminal.
 */
export async function createLogger({ level, encoding }: TelemetryConfig['logs']): Promise<Logger> {
  const options: LoggerOptions = { level, base: null, timestamp: stdTimeFunctions.isoTime };
  const readable = encoding === 'console' || (encoding === 'auto' && process.stderr.isTTY);
  if (!readable) return pino(options, pino.destination({ fd: 2, sync: true }));
  const { PinoPretty } = await import('pino-pretty');
  return pino(options, PinoPretty({ destination: 2, sync: true, colorize: process.stderr.isTTY }));
}
