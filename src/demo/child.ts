import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const projectFolder = fileURLToPath(new URL('../../', import.meta.url));

const graceMs = 8000;
const tailCharacters = 2000;

/** A part of the demo that is a process of its own. */
export class Child {
  readonly name: string;
  readonly process: ChildProcess;
  /** Resolves with a description when it has ended. */
  readonly ended: Promise<string>;

  constructor(name: string, args: readonly string[], options: { env: Record<string, string>; logFile: string }) {
    this.name = name;
    this.process = spawn(process.execPath, args, {
      cwd: projectFolder,
      env: { PATH: process.env['PATH'], ...options.env },
      // Ctrl-C reaches the demo only, which ends its parts in order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const log = createWriteStream(options.logFile, { flags: 'a' });
    this.process.stdout?.pipe(log, { end: false });
    this.process.stderr?.pipe(log, { end: false });
    let tail = '';
    this.process.stderr?.on('data', (chunk: Buffer) => {
      tail = (tail + chunk.toString()).slice(-tailCharacters);
    });
    this.ended = once(this.process, 'exit').then(([code, signal]) => {
      log.end();
      return `${name} ended with ${String(signal ?? `code ${String(code)}`)}\n${tail}`.trimEnd();
    });
    guard(this.process);
  }

  get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  async stop(): Promise<void> {
    if (this.isRunning) this.process.kill('SIGTERM');
    const timeout = new AbortController();
    const late = sleep(graceMs, 'late', { signal: timeout.signal }).catch(() => 'aborted');
    if ((await Promise.race([this.ended, late])) === 'late') this.process.kill('SIGKILL');
    await this.ended;
    timeout.abort();
  }
}

/** Not every part watches whether the demo is still there, so that somebody else does. */
function guard({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  guardian ??= fork(fileURLToPath(new URL('guardian.ts', import.meta.url)), {
    detached: true,
    execArgv: [],
    stdio: 'ignore',
  });
  guardian.unref();
  guardian.channel?.unref();
  guardian.send(pid);
}

let guardian: ChildProcess | undefined;
