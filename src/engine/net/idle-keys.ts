import type { Logger } from 'pino';

/** Says once which keys of a configuration were taken but change nothing here, so that nobody relies on them. */
export function reportIdleKeys(logger: Logger, keys: Readonly<Record<string, boolean>>): void {
  const idle = Object.keys(keys).filter((key) => keys[key]);
  if (idle.length > 0)
    logger.warn({ keys: idle }, 'These keys are taken as the stock Collector takes them, but change nothing');
}
