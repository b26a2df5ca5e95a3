import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { GuardianMessage } from './guardian.ts';

let guardian: ChildProcess | undefined;

/** Has the process killed when this one goes without having ended it. */
export function guardProcess(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  tell({ started: pid });
  child.once('exit', () => tell({ ended: pid }));
}

/** Has the folder removed when this process goes. */
export function guardFolder(folder: string): void {
  tell({ folder });
}

function tell(message: GuardianMessage): void {
  if (guardian === undefined || !guardian.connected) guardian = startGuardian();
  guardian.send(message);
}

/** Not every part watches whether the demo is still there, so that somebody else does. */
function startGuardian(): ChildProcess {
  const started = fork(fileURLToPath(new URL('guardian.ts', import.meta.url)), {
    // A terminal's Ctrl-C is not for it.
    detached: true,
    execArgv: [],
    stdio: 'ignore',
  });
  started.unref();
  started.channel?.unref();
  return started;
}
