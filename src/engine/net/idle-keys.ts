import type { Logger } from 'pino';

/** Warns about keys that are accepted for compatibility but have no effect, so that users do not rely on them. */
export function reportIdleKeys(logger: Logger, keys: Readonly<Record<string, boolean>>): void {
  const idle = Object.keys(keys).filter((key) => keys[key]);
  if (idle.length > 0)
    logger.warn(
      { keys: idle },
      'These keys are accepted for compatibility with the stock Collector, but have no effect',
    );
}
