import type { Logger } from 'pino';
import type { Component, Host } from '../component.ts';

/** A component of the graph under the name that errors and logs use, for example `exporters::prometheus`. */
export interface NamedComponent {
  readonly name: string;
  readonly component: Component;
  readonly logger: Logger;
}

/** Components that do not feed each other. They stop at the same time. */
export type Stage<Named extends NamedComponent = NamedComponent> = readonly Named[];

/** The grace period of a component after the deadline, at which it should have given up. */
const GRACE_MS = 1000;

/**
 * Starts stage by stage, one component after the other, until all run or the collector stops.
 *
 * @throws Error that starts with the name of the component that failed.
 */
export async function startStages(stages: readonly Stage[], host: Host): Promise<void> {
  for (const { name, component } of stages.flat()) {
    if (host.status() === 'stopping') return;
    try {
      // A component may use those that started before it.
      await component.start(host);
    } catch (error) {
      throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
}

/** Stops from the last stage to the first. If a component fails or hangs, the others still stop. */
export async function shutdownStages(stages: readonly Stage[], deadline: AbortSignal): Promise<void> {
  for (const stage of stages.toReversed()) {
    // A component flushes only after the components that feed it have stopped.
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

/** Resolves with false when the grace period after the deadline is over. */
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
