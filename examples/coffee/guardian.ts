/** Kills the parts of the demo and removes its folder if the demo ends without doing so. */
import { rm } from 'node:fs/promises';

export type GuardianMessage = { readonly started: number } | { readonly ended: number } | { readonly folder: string };

const pids = new Set<number>();
const folders: string[] = [];

process.on('message', (message: GuardianMessage) => {
  if ('started' in message) pids.add(message.started);
  else if ('ended' in message) pids.delete(message.ended);
  else folders.push(message.folder);
});
process.on('disconnect', () => {
  for (const pid of pids) kill(pid);
  for (const folder of folders) void rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It has already ended, as it should.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
