import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

export interface CommandOutput {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const HANGS_AFTER_MS = 120_000;

/** A terminal in a folder: each command runs in a shell of its own, and long ones keep running. */
export class ShellSession implements AsyncDisposable {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly #running = new Set<RunningCommand>();

  constructor(folder: string, environment: NodeJS.ProcessEnv) {
    this.folder = folder;
    this.environment = environment;
  }

  /** Runs a command to its end. */
  async run(command: string): Promise<CommandOutput> {
    const running = this.start(command);
    const timer = setTimeout(() => void running.stop('SIGKILL'), HANGS_AFTER_MS);
    const code = await running.ended;
    clearTimeout(timer);
    return { code, stdout: running.stdout, stderr: running.stderr };
  }

  /** Starts a command that ends with a signal. */
  start(command: string, environment: NodeJS.ProcessEnv = {}): RunningCommand {
    const child = spawn('bash', ['-c', command], {
      cwd: this.folder,
      env: { ...this.environment, ...environment },
      // A group of its own, as in a terminal.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const running = new RunningCommand(command, child);
    this.#running.add(running);
    void running.ended.then(() => this.#running.delete(running));
    return running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running].map((running) => running.stop('SIGKILL')));
  }
}

export class RunningCommand {
  readonly command: string;
  readonly ended: Promise<number | null>;
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;

  constructor(command: string, child: ChildProcess) {
    this.command = command;
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = once(child, 'close').then(([code]) => code as number | null);
  }

  /** Resolves with the match in the output. */
  async printed(pattern: RegExp, timeoutMs = 60_000): Promise<RegExpExecArray> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const found = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
      if (found !== null) return found;
      if (this.#child.exitCode !== null || performance.now() > until) {
        throw new Error(`${this.command} did not print ${String(pattern)}:\n${this.stdout}${this.stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Sends the signal to the whole group, as a terminal does. Resolves with the exit code. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    try {
      process.kill(-this.#child.pid!, signal);
    } catch (error) {
      // It has ended already.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
    return await this.ended;
  }
}
