import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { guardProcess } from './guard.ts';

export const projectFolder = fileURLToPath(new URL('../../', import.meta.url));

const graceMs = 3000;
const tailCharacters = 2000;

/** A part of the demo that runs as a separate process. */
export class Child {
  readonly name: string;
  readonly process: ChildProcess;
  /** Resolves with a description when the process has ended. */
  readonly ended: Promise<string>;
  /** The last part of its stderr. */
  #tail = '';

  constructor(name: string, args: readonly string[], options: { env: Record<string, string>; logFile: string }) {
    this.name = name;
    this.process = spawn(process.execPath, args, {
      cwd: projectFolder,
      env: { PATH: process.env['PATH'], ...options.env },
      // Ctrl-C reaches only the demo, which ends its parts in order.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const log = createWriteStream(options.logFile, { flags: 'a' });
    this.process.stdout?.pipe(log, { end: false });
    this.process.stderr?.pipe(log, { end: false });
    this.process.stderr?.on('data', (chunk: Buffer) => {
      this.#tail = (this.#tail + chunk.toString()).slice(-tailCharacters);
    });
    this.ended = once(this.process, 'exit').then(([code, signal]) => {
      log.end();
      return `${name} ended with ${String(signal ?? `code ${String(code)}`)}\n${this.#tail}`.trimEnd();
    });
    guardProcess(this.process);
  }

  get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Resolves when it writes the text to stderr. Rejects when it ends before, or after the timeout. */
  async hasLogged(text: string, timeoutMs: number): Promise<void> {
    const timeout = AbortSignal.timeout(timeoutMs);
    while (!this.#tail.includes(text)) {
      if (!this.isRunning) throw new Error(await this.ended);
      if (timeout.aborted) throw new Error(`${this.name} is not ready after ${timeoutMs / 1000} s\n${this.#tail}`);
      await sleep(20);
    }
  }

  /** Sends SIGTERM, and SIGKILL after a grace period. */
  async stop(): Promise<void> {
    if (this.isRunning) this.process.kill('SIGTERM');
    const timeout = new AbortController();
    const late = sleep(graceMs, 'late', { signal: timeout.signal }).catch(() => 'aborted');
    if ((await Promise.race([this.ended, late])) === 'late') this.process.kill('SIGKILL');
    await this.ended;
    timeout.abort();
  }
}
