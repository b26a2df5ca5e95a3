import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What a program prints as JSON, in a process of its own; one that is still there when this one ends is ended too. */
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
