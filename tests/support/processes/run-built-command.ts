import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the built command in the project's folder, with only the path in its environment. */
export function spawnBuilt(args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, ['dist/main.js', ...args], {
    cwd: root,
    env: { PATH: process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs the built command to its end in the project's folder, with only the given environment. */
export async function siphon(args: readonly string[], environment: Record<string, string> = {}): Promise<CliResult> {
  return await new Promise((resolve) => {
    const options = { cwd: root, env: { PATH: process.env['PATH'], ...environment } };
    execFile(process.execPath, ['dist/main.js', ...args], options, (error, stdout, stderr) => {
      resolve({ exitCode: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}
