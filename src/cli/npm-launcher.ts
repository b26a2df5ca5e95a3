import type { Environment } from '../engine/config/expand.ts';

/**
 * Calls back within a second after the npm that started this process has ended; never if npm did not start it.
 *
 * A signal ends npx and `npm run` but not the command: they run it in a shell, which does not pass the signal on. An
 * orphan would keep its ports. A command whose shell ended before it started is meant to run in the background.
 */
export function whenNpmEnds(environment: Environment, onEnd: () => void): void {
  if (environment['npm_command'] === undefined) return;
  const { ppid } = process;
  const timer = setInterval(() => {
    if (process.ppid === ppid) return;
    clearInterval(timer);
    onEnd();
  }, PARENT_CHECK_MS).unref();
}

const PARENT_CHECK_MS = 1000;
