import type { Logger } from 'pino';
import type { Component, Host } from '../component.ts';

/** A component of the graph under the name that errors and logs use, for example `exporters::prometheus`. */
export interface NamedComponent {
  readonly name: string;
  readonly component: Component;
  readonly logger: Logger;
}

/** Components that do not feed one another: they stop at the same time. */
export type Stage = readonly NamedComponent[];

/** What a component may take beyond the deadline, which is when it should have given up. */
const GRACE_MS = 1000;

/**
 * Starts stage by stage, each component after the one before it, until all run or the host is told to stop.
 *
 * @throws Error that begins with the name of the component that did not start.
 */
export async function startStages(stages: readonly Stage[], host: Host): Promise<void> {
  for (const { name, component } of stages.flat()) {
    if (host.status() !== 'starting') return;
    try {
      // A component may use those that started before it.
      await component.start(host);
    } catch (error) {
      throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
}

/** Stops from the last stage to the first. A component that fails or hangs does not keep the others from stopping. */
export async function shutdownStages(stages: readonly Stage[], deadline: AbortSignal): Promise<void> {
  for (const stage of stages.toReversed()) {
    // What feeds a component has to be quiet before it flushes.
    await Promise.all(stage.map((named) => shutdownOne(named, deadline)));
  }
}

async function shutdownOne({ component, logger }: NamedComponent, deadline: AbortSignal): Promise<void> {
  const overdue = expire(deadline);
  try {
    const stopped = await Promise.race([component.shutdown(deadline).then(() => true), overdue.promise]);
    if (!stopped) logger.error('Component did not stop in time');
  } catch (err) {
    logger.error({ err }, 'Component did not stop cleanly');
  } finally {
    overdue.cancel();
  }
}

/** Resolves with false when the deadline and the grace behind it are over. */
function expire(deadline: AbortSignal): { readonly promise: Promise<false>; cancel(): void } {
  const { promise, resolve } = Promise.withResolvers<false>();
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    timer = setTimeout(() => resolve(false), GRACE_MS);
  };
  if (deadline.aborted) wait();
  else deadline.addEventListener('abort', wait, { once: true });
  const cancel = (): void => {
    clearTimeout(timer);
    deadline.removeEventListener('abort', wait);
  };
  return { promise, cancel };
}
