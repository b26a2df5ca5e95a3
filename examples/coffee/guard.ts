import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { GuardianMessage } from './guardian.ts';

let guardian: ChildProcess | undefined;

/** Kills the process if this process ends without ending it. */
export function guardProcess(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  send({ started: pid });
  child.once('exit', () => send({ ended: pid }));
}

/** Removes the folder when this process ends. */
export function guardFolder(folder: string): void {
  send({ folder });
}

function send(message: GuardianMessage): void {
  if (guardian === undefined || !guardian.connected) guardian = startGuardian();
  guardian.send(message);
}

/** The parts of the demo do not notice when it is killed, so a separate process watches it. */
function startGuardian(): ChildProcess {
  const started = fork(fileURLToPath(new URL('guardian.ts', import.meta.url)), {
    // Keeps Ctrl-C in a terminal from reaching it.
    detached: true,
    execArgv: [],
    stdio: 'ignore',
  });
  started.unref();
  started.channel?.unref();
  return started;
}
