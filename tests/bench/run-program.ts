import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs a program in a child process and returns its JSON output. The child is killed if this process exits first. */
export async function runProgram(file: string, order: { readonly durationMs: number }): Promise<unknown> {
  const running = promisify(execFile)(process.execPath, [file, JSON.stringify(order)], {
    timeout: order.durationMs + 60_000,
    maxBuffer: 16 * 1024 * 1024,
  });
  const kill = (): boolean => running.child.kill('SIGKILL');
  process.once('exit', kill);
  try {
    return JSON.parse((await running).stdout) as unknown;
  } finally {
    process.off('exit', kill);
  }
}
