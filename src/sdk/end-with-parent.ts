import { isMainThread } from 'node:worker_threads';

const CHECK_MS = 1000;

/**
 * Ends this process with SIGTERM within a second after the `siphon dev` that started it. Nothing else does after SIGKILL,
 * and the process would keep its ports.
 *
 * @param pid that of `siphon dev`. Other descendants inherit the variable, so only a child follows it.
 */
export function endWithParent(pid: string | undefined): void {
  if (!isMainThread || process.ppid !== Number(pid)) return;
  const timer = setInterval(() => {
    if (process.ppid === Number(pid)) return;
    clearInterval(timer);
    process.kill(process.pid, 'SIGTERM');
  }, CHECK_MS).unref();
}
